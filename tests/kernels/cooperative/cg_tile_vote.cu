// Votes and broadcasts of tiles of 16: how many above the tile's first number, and whether all or any are.

#include <cooperative_groups.h>

using namespace cooperative_groups;

__global__ void cg_tile_vote(const int* __restrict__ x, int* __restrict__ above, int* __restrict__ flags) {
    thread_block block = this_thread_block();
    auto tile = tiled_partition<16>(block);
    const int i = blockIdx.x * 64 + block.thread_rank();
    const int first = tile.shfl(x[i], 0);
    const bool more = x[i] > first;
    above[i] = __popc(tile.ballot(more));
    flags[i] = tile.any(more) + 2 * tile.all(x[i] >= first);
    tile.sync();
}
