// Index of the largest element of each row, the first one among equals: (value, index) pairs through the shuffles.

#define FULL 0xffffffffu

__device__ __forceinline__ void take_larger(float& best, int& where, float other, int at) {
    if (other > best || (other == best && at < where)) {
        best = other;
        where = at;
    }
}

template <int BLOCK>
__global__ void argmax_rows(const float* __restrict__ x, int* __restrict__ index, int cols) {
    __shared__ float values[BLOCK / 32];
    __shared__ int places[BLOCK / 32];

    const float* row = x + blockIdx.x * (size_t)cols;
    float best = -INFINITY;
    int where = INT_MAX;
    for (int c = threadIdx.x; c < cols; c += BLOCK)
        take_larger(best, where, row[c], c);

    for (int mask = 16; mask; mask >>= 1) {
        const float other = __shfl_xor_sync(FULL, best, mask);
        const int at = __shfl_xor_sync(FULL, where, mask);
        take_larger(best, where, other, at);
    }

    if ((threadIdx.x & 31) == 0) {
        values[threadIdx.x >> 5] = best;
        places[threadIdx.x >> 5] = where;
    }
    __syncthreads();

    if (threadIdx.x == 0) {
        for (int w = 1; w < BLOCK / 32; ++w)
            take_larger(best, where, values[w], places[w]);
        index[blockIdx.x] = where;
    }
}
