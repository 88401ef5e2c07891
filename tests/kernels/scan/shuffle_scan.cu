// Inclusive scan of a block by warps: __shfl_up_sync within each, then the warps' totals by the first warp.

__global__ void shuffle_scan(const unsigned* x, unsigned* y, unsigned* block_totals, int n) {
    __shared__ unsigned totals[32];

    const int id = blockIdx.x * blockDim.x + threadIdx.x;
    const int lane_id = id % warpSize;
    const int warp_id = threadIdx.x / warpSize;

    unsigned value = id < n ? x[id] : 0;

#pragma unroll
    for (int i = 1; i <= 32; i *= 2) {
        const unsigned below = __shfl_up_sync(0xffffffffu, value, i, 32);
        if (lane_id >= i) value += below;
    }
    if (lane_id == warpSize - 1) totals[warp_id] = value;
    __syncthreads();

    if (warp_id == 0) {
        const int warps = blockDim.x / warpSize;
        unsigned sum = lane_id < warps ? totals[lane_id] : 0;
        for (int i = 1; i < 32; i *= 2) {
            const unsigned below = __shfl_up_sync(0xffffffffu, sum, i, 32);
            if (lane_id >= i) sum += below;
        }
        totals[lane_id] = sum;
    }
    __syncthreads();

    if (warp_id > 0) value += totals[warp_id - 1];
    if (id < n) y[id] = value;
    if (threadIdx.x == blockDim.x - 1) block_totals[blockIdx.x] = value;
}
