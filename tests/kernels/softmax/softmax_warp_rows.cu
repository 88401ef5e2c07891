// Softmax with one warp per row, four rows per block; a row of up to 32 * ITEMS columns stays in registers. Warps
// without a row return early, whole warps at a time.

template <int ITEMS>
__global__ void softmax_warp_rows(const float* __restrict__ x, float* __restrict__ y, int rows, int cols) {
    const int row = blockIdx.x * blockDim.y + threadIdx.y;
    if (row >= rows) return;
    const int lane = threadIdx.x;

    float v[ITEMS];
    float peak = -INFINITY;
#pragma unroll
    for (int i = 0; i < ITEMS; ++i) {
        const int c = lane + 32 * i;
        v[i] = c < cols ? x[row * cols + c] : -INFINITY;
        peak = fmaxf(peak, v[i]);
    }
#pragma unroll
    for (int m = 16; m > 0; m >>= 1)
        peak = fmaxf(peak, __shfl_xor_sync(0xffffffff, peak, m));

    float total = 0.0f;
#pragma unroll
    for (int i = 0; i < ITEMS; ++i) {
        v[i] = expf(v[i] - peak);
        total += v[i];
    }
#pragma unroll
    for (int m = 16; m > 0; m >>= 1)
        total += __shfl_xor_sync(0xffffffff, total, m);

#pragma unroll
    for (int i = 0; i < ITEMS; ++i) {
        const int c = lane + 32 * i;
        if (c < cols) y[row * cols + c] = v[i] / total;
    }
}
