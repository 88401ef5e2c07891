// Dot products of short rows: WIDTH lanes share a row, and the shuffles stay within them.

template <int WIDTH>
__global__ void warp_segments(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ dots, int rows,
                              int cols) {
    const int thread = blockIdx.x * blockDim.x + threadIdx.x;
    const int row = thread / WIDTH;
    const int lane = thread % WIDTH;

    float sum = 0.0f;
    if (row < rows) {
        for (int c = lane; c < cols; c += WIDTH)
            sum = fmaf(a[row * cols + c], b[row * cols + c], sum);
    }
#pragma unroll
    for (int offset = WIDTH / 2; offset > 0; offset /= 2)
        sum += __shfl_xor_sync(0xffffffffu, sum, offset, WIDTH);
    if (row < rows && lane == 0)
        dots[row] = sum;
}
