// Counts of 256 bins: each group counts in local memory, then adds to the global counts.

#define BINS 256

__kernel void histogram(__global const uint *x, __global uint *counts, int n) {
    __local uint s[BINS];
    const int t = get_local_id(0);

    for (int i = t; i < BINS; i += get_local_size(0))
        s[i] = 0;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int i = get_global_id(0); i < n; i += get_global_size(0))
        atomic_inc(&s[x[i]]);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int i = t; i < BINS; i += get_local_size(0))
        atomic_add(&counts[i], s[i]);
}
