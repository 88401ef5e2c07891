// Stream compaction: the positive numbers, packed, in any order of warps. One atomic per warp: its first lane reserves
// room for all, and every lane finds its place by counting the votes below it.

__global__ void warp_compact(const int* __restrict__ x, int* __restrict__ kept, unsigned int* count, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    const unsigned int lane = threadIdx.x & 31u;

    const int v = i < n ? x[i] : 0;
    const bool keep = v > 0;
    const unsigned int votes = __ballot_sync(0xffffffffu, keep);

    unsigned int base = 0;
    if (lane == 0 && votes != 0)
        base = atomicAdd(count, (unsigned int)__popc(votes));
    base = __shfl_sync(0xffffffffu, base, 0);

    if (keep)
        kept[base + __popc(votes & ((1u << lane) - 1u))] = v;
}
