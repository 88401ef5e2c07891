// Histogram of small integers with one copy of the bins per warp, so that warps do not collide in shared memory.
//
// BINS need not be a multiple of anything; the copies are summed column by column at the end.

#define WARP_SIZE 32

template <int BINS, int WARPS>
__global__ void histogram_warps(const int* __restrict__ keys, int* __restrict__ hist, int n) {
    __shared__ int copies[WARPS][BINS];

    const int warp = threadIdx.x / WARP_SIZE;
    int* own = copies[warp];

    for (int i = threadIdx.x; i < WARPS * BINS; i += blockDim.x)
        (&copies[0][0])[i] = 0;
    __syncthreads();

    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        atomicAdd(&own[keys[i] % BINS], 1);
    __syncthreads();

    for (int bin = threadIdx.x; bin < BINS; bin += blockDim.x) {
        int sum = 0;
#pragma unroll
        for (int w = 0; w < WARPS; ++w)
            sum += copies[w][bin];
        atomicAdd(&hist[bin], sum);
    }
}
