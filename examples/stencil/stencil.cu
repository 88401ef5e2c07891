// One explicit step of the heat equation on a 2-D grid, five points:
//   out = u + alpha * (north + south + west + east - 4 u)
// Insulated edges: a neighbour outside the grid has the value of the edge cell itself.
//
// The block's cells and a halo of one cell are staged in shared memory. The corners of the halo are not needed.

#ifndef BLOCK_X
#define BLOCK_X 32
#endif
#ifndef BLOCK_Y
#define BLOCK_Y 8
#endif

// u at (x, y), with x and y clamped to the grid.
__device__ __forceinline__ float load_clamped(const float* __restrict__ u, int x, int y, int width, int height) {
    x = min(max(x, 0), width - 1);
    y = min(max(y, 0), height - 1);
    return u[y * width + x];
}

__global__ void stencil(const float* __restrict__ u, float* __restrict__ out, int width, int height, float alpha) {
    __shared__ float tile[BLOCK_Y + 2][BLOCK_X + 2];

    const int x = blockIdx.x * BLOCK_X + threadIdx.x;
    const int y = blockIdx.y * BLOCK_Y + threadIdx.y;
    const int tx = threadIdx.x + 1;  // position in the tile, behind the halo
    const int ty = threadIdx.y + 1;

    // threads beyond the grid load as well: they are the halo of those at its edge
    tile[ty][tx] = load_clamped(u, x, y, width, height);

    if (threadIdx.x == 0)
        tile[ty][0] = load_clamped(u, x - 1, y, width, height);
    if (threadIdx.x == BLOCK_X - 1)
        tile[ty][BLOCK_X + 1] = load_clamped(u, x + 1, y, width, height);
    if (threadIdx.y == 0)
        tile[0][tx] = load_clamped(u, x, y - 1, width, height);
    if (threadIdx.y == BLOCK_Y - 1)
        tile[BLOCK_Y + 1][tx] = load_clamped(u, x, y + 1, width, height);

    __syncthreads();

    if (x >= width || y >= height)
        return;

    const float center = tile[ty][tx];
    const float around = tile[ty - 1][tx] + tile[ty + 1][tx] + tile[ty][tx - 1] + tile[ty][tx + 1];
    out[y * width + x] = center + alpha * (around - 4.0f * center);
}
