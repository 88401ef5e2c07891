// How many elements of each tile exceed a threshold, three ways: __syncthreads_count, ballots, and whether all do.

__global__ void count_above(const float* x, int* by_block, int* by_ballot, int* all_or_any, float threshold, int n) {
    __shared__ int total;
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    const bool inside = i < n;
    const bool above = inside && x[i] > threshold;

    if (threadIdx.x == 0) total = 0;
    const int count = __syncthreads_count(above);

    const unsigned votes = __ballot_sync(0xffffffffu, above);
    if (threadIdx.x % 32 == 0) atomicAdd(&total, __popc(votes));
    const int all = __syncthreads_and(!inside || above);
    const int any = __syncthreads_or(above);

    if (threadIdx.x == 0) {
        by_block[blockIdx.x] = count;
        by_ballot[blockIdx.x] = total;
        all_or_any[blockIdx.x] = 2 * (all != 0) + (any != 0);
    }
}
