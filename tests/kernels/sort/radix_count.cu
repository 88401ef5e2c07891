// First pass of a radix sort: how often each of 16 digits occurs in each block's tile. counts[digit][block], so that a
// scan over the whole array gives the places of the second pass.

#define RADIX_BITS 4
#define RADIX (1 << RADIX_BITS)

__global__ void radix_count(const unsigned int* __restrict__ keys, unsigned int* __restrict__ counts, int n, int shift) {
    __shared__ unsigned int local[RADIX];
    if (threadIdx.x < RADIX)
        local[threadIdx.x] = 0u;
    __syncthreads();

    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        const unsigned int digit = (keys[i] >> shift) & (RADIX - 1);
        atomicAdd(&local[digit], 1u);
    }
    __syncthreads();

    if (threadIdx.x < RADIX)
        counts[threadIdx.x * gridDim.x + blockIdx.x] = local[threadIdx.x];
}
