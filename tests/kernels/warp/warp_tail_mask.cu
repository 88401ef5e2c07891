// Sum of an array whose last warp is cut: the lanes that have data vote for themselves, and only they shuffle.

__global__ void warp_tail_mask(const int* __restrict__ x, int* total, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    const int lane = threadIdx.x & 31;
    const unsigned int mask = __ballot_sync(0xffffffffu, i < n);

    if (i < n) {
        int v = x[i];
        const int lanes = __popc(mask);
        for (int offset = 16; offset > 0; offset /= 2) {
            const int other = __shfl_down_sync(mask, v, offset);
            if (lane + offset < lanes)
                v += other;
        }
        if (lane == 0)
            atomicAdd(total, v);
    }
}
