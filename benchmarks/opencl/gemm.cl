// C = A B for square matrices, in tiles of 16 by 16 in local memory.

#define TILE 16

__kernel void gemm(__global const float *a, __global const float *b, __global float *c, int n) {
    __local float tile_a[TILE][TILE];
    __local float tile_b[TILE][TILE];
    const int tx = get_local_id(0), ty = get_local_id(1);
    const int col = get_global_id(0), row = get_global_id(1);

    float sum = 0.0f;
    for (int k0 = 0; k0 < n; k0 += TILE) {
        tile_a[ty][tx] = row < n && k0 + tx < n ? a[row * n + k0 + tx] : 0.0f;
        tile_b[ty][tx] = col < n && k0 + ty < n ? b[(k0 + ty) * n + col] : 0.0f;
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int k = 0; k < TILE; ++k)
            sum += tile_a[ty][k] * tile_b[k][tx];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (row < n && col < n)
        c[row * n + col] = sum;
}
