//: grid = ["4"]
//: block = [64]
// Each thread counts one value: no atomics.
__kernel void histogram(__global const uchar* restrict data, __global uint* restrict hist, int n) {
    const uint bin = get_global_id(0);
    uint count = 0;
    for (int i = 0; i < n; ++i)
        count += data[i] == bin;
    hist[bin] += count;
}
