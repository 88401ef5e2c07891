//! what = "the counts of the warps are added up before all warps are done"
//! kind = "race"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "i32", shape = ["n"], role = "in" }, counts = { dtype = "i32", shape = [16], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = [1], block = [64] }
__global__ void k(const int* x, int* counts, int n) {
    __shared__ int bins[2][16];
    const int t = threadIdx.x, warp = t / 32;
    if (t < 32) bins[t / 16][t % 16] = 0;
    __syncthreads();
    for (int i = t; i < n; i += 64) atomicAdd(&bins[warp][x[i] & 15], 1);
#ifndef DEFECT
    __syncthreads();
#endif
    if (t < 16) counts[t] = bins[0][t] + bins[1][t];  // <- here
}
