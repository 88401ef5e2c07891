// Matrix transpose, y[c, r] = x[r, c], through a padded tile in shared memory.
//
// A TILE_DIM x TILE_DIM tile per block, TILE_DIM x BLOCK_ROWS threads: each thread moves TILE_DIM / BLOCK_ROWS elements.
// Both the read and the write run along rows, so both are coalesced; the padding keeps a column of the tile in
// different banks.

template <int TILE_DIM, int BLOCK_ROWS>
__global__ void transpose(const float* __restrict__ x, float* __restrict__ y, int rows, int cols) {
    __shared__ float tile[TILE_DIM][TILE_DIM + 1];

    int c = blockIdx.x * TILE_DIM + threadIdx.x;
    int r = blockIdx.y * TILE_DIM + threadIdx.y;

#pragma unroll
    for (int j = 0; j < TILE_DIM; j += BLOCK_ROWS) {
        if (c < cols && r + j < rows)
            tile[threadIdx.y + j][threadIdx.x] = x[(r + j) * cols + c];
    }

    __syncthreads();

    // the block's place in y: blockIdx.x and blockIdx.y change roles
    c = blockIdx.y * TILE_DIM + threadIdx.x;
    r = blockIdx.x * TILE_DIM + threadIdx.y;

#pragma unroll
    for (int j = 0; j < TILE_DIM; j += BLOCK_ROWS) {
        if (c < rows && r + j < cols)
            y[(r + j) * rows + c] = tile[threadIdx.x][threadIdx.y + j];
    }
}
