// Minimum and maximum of floats by integer atomics on their bits: the order of positive floats is that of their bits,
// of negative ones the reverse.

__device__ __forceinline__ unsigned ordered(float f) {
    const unsigned u = __float_as_uint(f);
    return (u & 0x80000000u) ? ~u : u | 0x80000000u;
}

__device__ __forceinline__ float unordered(unsigned u) {
    return __uint_as_float((u & 0x80000000u) ? u & 0x7fffffffu : ~u);
}

__global__ void range_atomic_bits(const float* x, float* low, float* high, int n) {
    __shared__ unsigned smallest, largest;
    if (threadIdx.x == 0) {
        smallest = 0xffffffffu;
        largest = 0u;
    }
    __syncthreads();
    for (int i = blockIdx.x * 100 + threadIdx.x; i < min(n, ((int)blockIdx.x + 1) * 100); i += blockDim.x) {
        const unsigned bits = ordered(x[i]);
        atomicMin(&smallest, bits);
        atomicMax(&largest, bits);
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        low[blockIdx.x] = unordered(smallest);
        high[blockIdx.x] = unordered(largest);
    }
}
