// Sampled dense-dense product: out[k] = A[row_k] . B[col_k] for each element k of a sparse pattern, 8 lanes per element.

#define LANES 8

__global__ void sddmm(const int* __restrict__ row, const int* __restrict__ col, const float* __restrict__ A,
                      const float* __restrict__ B, float* __restrict__ out, int nnz, int depth) {
    const int k = (blockIdx.x * blockDim.x + threadIdx.x) / LANES;
    const int lane = threadIdx.x % LANES;
    const bool live = k < nnz;

    float sum = 0.0f;
    if (live) {
        const float* a = A + (size_t)row[k] * depth;
        const float* b = B + (size_t)col[k] * depth;
        for (int d = lane; d < depth; d += LANES)
            sum += a[d] * b[d];
    }
    sum += __shfl_xor_sync(0xffffffffu, sum, 4);
    sum += __shfl_xor_sync(0xffffffffu, sum, 2);
    sum += __shfl_xor_sync(0xffffffffu, sum, 1);
    if (live && lane == 0)
        out[k] = sum;
}
