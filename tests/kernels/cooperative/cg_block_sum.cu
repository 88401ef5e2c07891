// Block sums with cooperative groups: a tile of 32 reduces by shuffles, the tiles' sums meet in shared memory.

#include <cooperative_groups.h>

namespace cg = cooperative_groups;

__device__ float tile_sum(cg::thread_block_tile<32> tile, float v) {
    for (int offset = tile.size() / 2; offset > 0; offset /= 2)
        v += tile.shfl_down(v, offset);
    return v;
}

__global__ void cg_block_sum(const float* __restrict__ x, float* __restrict__ sums, int n) {
    __shared__ float partial[4];
    cg::thread_block block = cg::this_thread_block();
    cg::thread_block_tile<32> tile = cg::tiled_partition<32>(block);

    const int i = block.group_index().x * block.size() + block.thread_rank();
    const float v = tile_sum(tile, i < n ? x[i] : 0.0f);
    if (tile.thread_rank() == 0)
        partial[tile.meta_group_rank()] = v;
    block.sync();

    if (block.thread_rank() == 0)
        sums[blockIdx.x] = partial[0] + partial[1] + partial[2] + partial[3];
}
