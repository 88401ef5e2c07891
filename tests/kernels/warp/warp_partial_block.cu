// A block of 48 threads: its second warp has 16 threads only. Ballots count the threads that are there, and a
// segmented minimum over 16 lanes never reads one that is not.

__global__ void warp_partial_block(const int* __restrict__ x, int* __restrict__ odd, int* __restrict__ low) {
    const int i = blockIdx.x * 48 + threadIdx.x;
    const int v = x[i];
    const unsigned int full = 0xffffffffu;

    odd[i] = __popc(__ballot_sync(full, v & 1));

    int smallest = v;
    for (int offset = 8; offset > 0; offset >>= 1)
        smallest = min(smallest, __shfl_xor_sync(full, smallest, offset, 16));
    low[i] = smallest;
}
