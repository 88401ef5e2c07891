// The positive numbers, packed: of the threads that have one, the first of each warp takes places for all of them.

#include <cooperative_groups.h>

namespace cg = cooperative_groups;

__device__ int aggregated_add(int* counter) {
    cg::coalesced_group active = cg::coalesced_threads();
    int first = 0;
    if (active.thread_rank() == 0)
        first = atomicAdd(counter, active.size());
    return active.shfl(first, 0) + active.thread_rank();
}

__global__ void cg_coalesced_filter(const int* __restrict__ x, int* __restrict__ kept, int* count, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n && x[i] > 0)
        kept[aggregated_add(count)] = x[i];
}
