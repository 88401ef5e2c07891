// How many lanes of the warp hold the same key, and which of them is the first: __match_any_sync.

__global__ void warp_match(const int* __restrict__ keys, int* __restrict__ same, int* __restrict__ leader) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    const unsigned int peers = __match_any_sync(0xffffffffu, keys[i]);
    same[i] = __popc(peers);
    leader[i] = __ffs(peers) - 1;
}
