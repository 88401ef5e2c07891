// Chi-square distance between pairs of histograms, a warp per pair; the last block has fewer pairs than warps, and the
// threads that have none leave the kernel before the shuffles of the others.

__global__ void histogram_distance(const unsigned* __restrict__ a, const unsigned* __restrict__ b, float* __restrict__ distance,
                                   int pairs, int bins) {
    const int pair = (blockIdx.x * blockDim.x + threadIdx.x) / 32;
    if (pair >= pairs)
        return;
    const unsigned* pa = &a[pair * bins];
    const unsigned* pb = &b[pair * bins];

    float sum = 0.0f;
    for (int i = threadIdx.x % 32; i < bins; i += 32) {
        const int difference = (int)(pa[i] - pb[i]);  // wraps, and comes out right
        const unsigned total = pa[i] + pb[i];
        if (total != 0u)
            sum += (float)(difference * difference) / (float)total;
    }
#pragma unroll
    for (int delta = 16; delta > 0; delta /= 2)
        sum += __shfl_down_sync(0xffffffffu, sum, delta);
    if (threadIdx.x % 32 == 0)
        distance[pair] = 0.5f * sum;
}
