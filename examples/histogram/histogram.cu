// Histogram of bytes over 256 bins.
//
// Each block counts its share of the data in shared memory and adds its counts to the global ones at the end, so that
// the global atomics are 256 per block and not one per byte. hist is added to: the caller sets it to zero.

#ifndef BLOCK
#define BLOCK 256
#endif

#define BINS 256

__global__ void histogram(const unsigned char* __restrict__ data, unsigned int* __restrict__ hist, int n) {
    __shared__ unsigned int counts[BINS];

    for (int bin = threadIdx.x; bin < BINS; bin += BLOCK)
        counts[bin] = 0;
    __syncthreads();

    /* grid-stride loop: any number of blocks is right */
    const int stride = gridDim.x * BLOCK;
    for (int i = blockIdx.x * BLOCK + threadIdx.x; i < n; i += stride)
        atomicAdd(&counts[data[i]], 1u);
    __syncthreads();

    for (int bin = threadIdx.x; bin < BINS; bin += BLOCK) {
        const unsigned int count = counts[bin];
        if (count > 0)  // most blocks of skewed data leave bins empty
            atomicAdd(&hist[bin], count);
    }
}
