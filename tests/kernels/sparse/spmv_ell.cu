// y = A x for a matrix in ELLPACK: `width` elements per row, column-major, padded with column -1.

__global__ void spmv_ell(const int* __restrict__ cols, const float* __restrict__ vals, const float* __restrict__ x,
                         float* __restrict__ y, unsigned rows, unsigned width) {
    for (unsigned row = blockIdx.x * blockDim.x + threadIdx.x; row < rows; row += blockDim.x * gridDim.x) {
        float sum = 0.f;
        for (unsigned k = 0; k < width; ++k) {
            const int c = cols[k * rows + row];
            if (c < 0)
                break;  // the rest of the row is padding
            sum = fmaf(vals[k * rows + row], x[c], sum);
        }
        y[row] = sum;
    }
}
