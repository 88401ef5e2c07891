//: grid = ["cdiv(n, 64)"]
//: block = [64]
// One thread a byte, straight into global memory.
__kernel void histogram(__global const uchar* restrict data, __global uint* restrict hist, int n) {
    const int i = get_global_id(0);
    if (i < n)
        atomic_inc(&hist[data[i]]);
}
