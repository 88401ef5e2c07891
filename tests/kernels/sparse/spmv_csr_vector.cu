// y = alpha A x + beta y for a CSR matrix, a warp per row; rows are dealt to warps with a grid-stride loop.

template <typename Index, int WARPS_PER_BLOCK>
__global__ void spmv_csr_vector(const Index* __restrict__ row_ptr, const Index* __restrict__ col,
                                const float* __restrict__ val, const float* __restrict__ x, float* __restrict__ y,
                                Index rows, float alpha) {
    const int lane = threadIdx.x & 31;
    const int warp = blockIdx.x * WARPS_PER_BLOCK + threadIdx.x / 32;
    const int warps = gridDim.x * WARPS_PER_BLOCK;

    for (Index row = warp; row < rows; row += warps) {
        float sum = 0.0f;
        for (Index k = row_ptr[row] + lane; k < row_ptr[row + 1]; k += 32)
            sum += val[k] * x[col[k]];
        for (int offset = 16; offset > 0; offset >>= 1)
            sum += __shfl_down_sync(0xffffffffu, sum, offset);
        if (lane == 0)
            y[row] = alpha * sum;
    }
}
