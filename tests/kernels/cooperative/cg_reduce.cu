// cg::reduce over tiles of 8: sum, largest and smallest of each row of 8, known to all of its threads.

#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>

namespace cg = cooperative_groups;

__global__ void cg_reduce(const int* __restrict__ x, int* __restrict__ out) {
    const auto tile = cg::tiled_partition<8>(cg::this_thread_block());
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    const int v = x[i];
    const int sum = cg::reduce(tile, v, cg::plus<int>());
    const int most = cg::reduce(tile, v, cg::greater<int>());
    const int least = cg::reduce(tile, v, cg::less<int>());
    out[i] = 100 * sum + 10 * (most - v) + (v - least);
}
