// A whole array scaled to mean 0 in one launch: the grid synchronises between the sum and the subtraction.

#include <cooperative_groups.h>

namespace cg = cooperative_groups;

__global__ void cg_grid_sync(const int* __restrict__ x, int* __restrict__ y, int* total, int n) {
    cg::grid_group grid = cg::this_grid();
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        atomicAdd(total, x[i]);
    grid.sync();
    if (i < n)
        y[i] = x[i] * n - *total;
}
