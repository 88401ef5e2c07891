// Largest float through one integer atomic: bits of floats are ordered like signed integers, negative ones backwards.

__device__ __forceinline__ unsigned int order(float f) {
    const unsigned int bits = __float_as_uint(f);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

__global__ void atomic_max_ordered(const float* __restrict__ x, unsigned int* best, int n) {
    __shared__ unsigned int block_best;
    if (threadIdx.x == 0)
        block_best = 0u;
    __syncthreads();
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        atomicMax(&block_best, order(x[i]));
    __syncthreads();
    if (threadIdx.x == 0)
        atomicMax(best, block_best);
}
