// Sum of each row of 32 integers, one warp per row; eight rows in a block.

__global__ void warp_reduce_down(const int* __restrict__ x, int* __restrict__ sums, int rows) {
    const int lane = threadIdx.x;  // blockDim.x is the warp
    const int row = blockIdx.x * blockDim.y + threadIdx.y;

    int v = row < rows ? x[row * warpSize + lane] : 0;
    for (int offset = warpSize / 2; offset > 0; offset /= 2)
        v += __shfl_down_sync(0xffffffff, v, offset);

    if (lane == 0 && row < rows)
        sums[row] = v;
}
