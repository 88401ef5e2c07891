// Smallest and largest of each group of numbers, signed and unsigned: the same bits are ordered in two ways.

__global__ void atomic_extremes(const int* __restrict__ x, const int* __restrict__ group, int* low, int* high,
                                unsigned int* ulow, unsigned int* uhigh, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        const int g = group[i];
        atomicMin(&low[g], x[i]);
        atomicMax(&high[g], x[i]);
        atomicMin(&ulow[g], (unsigned int)x[i]);
        atomicMax(&uhigh[g], (unsigned int)x[i]);
    }
}
