// Inclusive sums of each group's elements (Hillis and Steele), and the totals of the groups.

#define BLOCK 256

__kernel void scan(__global const int *x, __global int *y, __global int *totals, int n) {
    __local int s[2][BLOCK];
    const int t = get_local_id(0), i = get_global_id(0);

    int from = 0;
    s[0][t] = i < n ? x[i] : 0;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int k = 1; k < BLOCK; k *= 2) {
        s[1 - from][t] = t >= k ? s[from][t] + s[from][t - k] : s[from][t];
        from = 1 - from;
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (i < n)
        y[i] = s[from][t];
    if (t == BLOCK - 1)
        totals[get_group_id(0)] = s[from][t];
}
