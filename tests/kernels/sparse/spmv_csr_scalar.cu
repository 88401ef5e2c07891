// y = A x for a CSR matrix, a thread per row.

__global__ void spmv_csr_scalar(const int* __restrict__ row_ptr, const int* __restrict__ col, const float* __restrict__ val,
                                const float* __restrict__ x, float* __restrict__ y, int rows) {
    const int row = blockDim.x * blockIdx.x + threadIdx.x;
    if (row < rows) {
        float dot = 0;
        const int start = row_ptr[row];
        const int end = row_ptr[row + 1];
        for (int k = start; k < end; k++)
            dot += val[k] * __ldg(&x[col[k]]);
        y[row] = dot;
    }
}
