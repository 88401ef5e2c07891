// Stream compaction: each block moves its positive elements to the front of its part, in order, and counts them. Ranks
// within a warp come from the ballot, those of the warps from shared memory.

template <int WARPS>
__global__ void compact_block(const float* __restrict__ x, float* __restrict__ y, int* __restrict__ counts, int n) {
    __shared__ int warp_counts[WARPS];

    const int i = blockIdx.x * (WARPS * 32) + threadIdx.x;
    const int lane = threadIdx.x & 31;
    const int warp = threadIdx.x >> 5;

    const float v = i < n ? x[i] : 0.0f;
    const bool keep = v > 0.0f;
    const unsigned kept = __ballot_sync(0xffffffff, keep);
    const int rank = __popc(kept & ((1u << lane) - 1));
    if (lane == 0)
        warp_counts[warp] = __popc(kept);
    if (i < n)
        y[i] = 0.0f;
    __syncthreads();

    int before = 0, total = 0;
    for (int w = 0; w < WARPS; ++w) {
        if (w < warp) before += warp_counts[w];
        total += warp_counts[w];
    }
    if (keep)
        y[blockIdx.x * (WARPS * 32) + before + rank] = v;
    if (threadIdx.x == 0)
        counts[blockIdx.x] = total;
}
