// y += A x for a matrix of coordinates: one thread per element, sums by atomics on floats.

__global__ void spmv_coo(const int2* __restrict__ where, const float* __restrict__ val, const float* __restrict__ x, float* y,
                         int nnz) {
    const int k = blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= nnz) return;
    const int2 at = where[k];
    atomicAdd(&y[at.x], val[k] * x[at.y]);
}
