// Histogram with local atomics, the counts dropped into the global ones with atomic_add.

__kernel void histogram_local(__global const uchar* data, volatile __global int* hist, int n) {
    volatile __local int counts[64];
    const int lid = get_local_id(0);
    counts[lid] = 0;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int i = get_global_id(0); i < n; i += get_global_size(0))
        atomic_inc(&counts[data[i] >> 2]);
    barrier(CLK_LOCAL_MEM_FENCE);
    if (counts[lid])
        atomic_add(&hist[lid], counts[lid]);
}
