// The transposed matrix through tiles of 16 by 16 in local memory, padded by a column.

#define TILE 16

__kernel void transpose(__global const float *x, __global float *y, int n) {
    __local float tile[TILE][TILE + 1];
    const int tx = get_local_id(0), ty = get_local_id(1);
    int col = get_group_id(0) * TILE + tx, row = get_group_id(1) * TILE + ty;

    if (row < n && col < n)
        tile[ty][tx] = x[row * n + col];
    barrier(CLK_LOCAL_MEM_FENCE);
    col = get_group_id(1) * TILE + tx;
    row = get_group_id(0) * TILE + ty;
    if (row < n && col < n)
        y[row * n + col] = tile[tx][ty];
}
