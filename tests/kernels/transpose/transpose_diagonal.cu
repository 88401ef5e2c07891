// Transpose of float2 elements with the blocks numbered along diagonals, which spreads the accesses over the memory
// partitions of old devices.

#define TILE_DIM 8

__global__ void transpose_diagonal(float2* odata, const float2* idata, int width, int height) {
    __shared__ float2 tile[TILE_DIM][TILE_DIM + 1];

    int blockIdx_x, blockIdx_y;
    if (width == height) {
        blockIdx_y = blockIdx.x;
        blockIdx_x = (blockIdx.x + blockIdx.y) % gridDim.x;
    } else {
        int bid = blockIdx.x + gridDim.x * blockIdx.y;
        blockIdx_y = bid % gridDim.y;
        blockIdx_x = ((bid / gridDim.y) + blockIdx_y) % gridDim.x;
    }

    int xIndex = blockIdx_x * TILE_DIM + threadIdx.x;
    int yIndex = blockIdx_y * TILE_DIM + threadIdx.y;
    if (xIndex < width && yIndex < height)
        tile[threadIdx.y][threadIdx.x] = idata[xIndex + yIndex * width];

    __syncthreads();

    xIndex = blockIdx_y * TILE_DIM + threadIdx.x;
    yIndex = blockIdx_x * TILE_DIM + threadIdx.y;
    if (xIndex < height && yIndex < width)
        odata[xIndex + yIndex * height] = tile[threadIdx.x][threadIdx.y];
}
