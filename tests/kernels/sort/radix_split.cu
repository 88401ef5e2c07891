// One bit of a radix sort within a block: a stable split of BLOCK keys, those with bit `bit` clear first.
//
// The rank of a key among the ones is a ballot's population count within the warp and a scan over warps in shared
// memory.

#define WARP_SIZE 32

template <int BLOCK>
__global__ void radix_split(const unsigned int* __restrict__ in, unsigned int* __restrict__ out, int bit) {
    constexpr int WARPS = BLOCK / WARP_SIZE;
    __shared__ int ones_of_warp[WARPS];
    __shared__ unsigned int sorted[BLOCK];

    const int tid = threadIdx.x;
    const int lane = tid & (WARP_SIZE - 1);
    const int warp = tid / WARP_SIZE;

    const unsigned int key = in[blockIdx.x * BLOCK + tid];
    const bool one = (key >> bit) & 1u;

    const unsigned int votes = __ballot_sync(0xffffffffu, one);
    const unsigned int lanes_below = (1u << lane) - 1u;
    if (lane == 0)
        ones_of_warp[warp] = __popc(votes);
    __syncthreads();

    int ones_before = __popc(votes & lanes_below);
    int ones = 0;
    for (int w = 0; w < WARPS; ++w) {
        if (w < warp)
            ones_before += ones_of_warp[w];
        ones += ones_of_warp[w];
    }
    const int zeros = BLOCK - ones;

    sorted[one ? zeros + ones_before : tid - ones_before] = key;
    __syncthreads();
    out[blockIdx.x * BLOCK + tid] = sorted[tid];
}
