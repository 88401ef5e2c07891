// Sums over the columns of a matrix: a 32 x 8 block walks down the rows, its eight partial rows are added at the end.
// The block is two-dimensional, so the linear thread number is not threadIdx.x.

__global__ void __launch_bounds__(256, 2) column_sums(const float* __restrict__ x, float* __restrict__ sums, int rows, int cols) {
    __shared__ float part[8][33];
    const int c = blockIdx.x * 32 + threadIdx.x;

    float sum = 0.f;
    if (c < cols)
        for (int r = threadIdx.y; r < rows; r += blockDim.y)
            sum += x[r * cols + c];
    part[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();

    const int linear = threadIdx.y * blockDim.x + threadIdx.x;
    if (linear >= 32)
        return;
    sum = 0.f;
#pragma unroll
    for (int k = 0; k < 8; k++)
        sum += part[k][linear];
    if (blockIdx.x * 32 + linear < cols)
        sums[blockIdx.x * 32 + linear] = sum;
}
