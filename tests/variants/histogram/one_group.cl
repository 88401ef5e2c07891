//: grid = ["1"]
//: block = [256]
// A single group, and plain additions into global memory at the end.
__kernel void histogram(__global const uchar* restrict data, __global uint* restrict hist, int n) {
    __local uint counts[256];
    const int t = get_local_id(0);
    counts[t] = 0;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int i = t; i < n; i += 256)
        atomic_inc(&counts[data[i]]);
    barrier(CLK_LOCAL_MEM_FENCE);
    hist[t] += counts[t];
}
