// Sum per work-group in local memory, two elements per work-item at the start.

#define GROUP 128

__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void block_reduce(__global const int* x, __global int* sums, uint n) {
    __local int scratch[GROUP];
    const uint lid = get_local_id(0);
    const uint gid = get_group_id(0) * (GROUP * 2) + lid;

    int v = gid < n ? x[gid] : 0;
    v += gid + GROUP < n ? x[gid + GROUP] : 0;
    scratch[lid] = v;
    barrier(CLK_LOCAL_MEM_FENCE);

    for (uint s = GROUP / 2; s > 0; s >>= 1) {
        if (lid < s)
            scratch[lid] += scratch[lid + s];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (lid == 0)
        sums[get_group_id(0)] = scratch[0];
}
