// Sums of 32-bit numbers in 64 bits.

__global__ void atomic_sum_u64(const unsigned int* __restrict__ x, unsigned long long* sums, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        atomicAdd(&sums[x[i] & 3u], (unsigned long long)x[i]);
}
