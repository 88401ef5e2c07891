// y = A x for a CSR matrix, a thread per row; x is read through a texture.

__device__ float fetch(cudaTextureObject_t x, int i) { return tex1Dfetch<float>(x, i); }

__global__ void spmv_texture(const int* __restrict__ row_ptr, const int* __restrict__ col, const float* __restrict__ val,
                             cudaTextureObject_t x, float* __restrict__ y, int rows) {
    const int row = blockDim.x * blockIdx.x + threadIdx.x;
    if (row < rows) {
        float dot = 0.0f;
        for (int k = row_ptr[row]; k < row_ptr[row + 1]; k++)
            dot += val[k] * fetch(x, col[k]);
        y[row] = dot;
    }
}
