// Where each row's runs end: rows of 32 numbers are scanned for their sums, for the largest so far and for the bits seen.

#include <cooperative_groups.h>
#include <cooperative_groups/scan.h>

namespace cg = cooperative_groups;

__global__ void cg_scan(const int* __restrict__ x, int* __restrict__ offset, int* __restrict__ most, int* __restrict__ bits) {
    auto tile = cg::tiled_partition<32>(cg::this_thread_block());
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    offset[i] = cg::exclusive_scan(tile, x[i]);
    most[i] = cg::inclusive_scan(tile, x[i], cg::greater<int>());
    bits[i] = cg::inclusive_scan(tile, 1 << (x[i] & 15), cg::bit_or<int>());
}
