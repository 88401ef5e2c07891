//! what = "a counter of all blocks is read plainly by whichever block"
//! kind = "race"
//! sizes = { n = [128] }
//! args = { x = { dtype = "i32", shape = ["n"], role = "in" }, total = { dtype = "i32", shape = [1], role = "inout", init = 0 }, y = { dtype = "i32", shape = [1], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const int* x, int* total, int* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    __shared__ int got[64];
    if (i < n) got[threadIdx.x] = atomicAdd(total, x[i] & 1);
    __syncthreads();
#ifdef DEFECT
    if (i == n - 1) y[0] = *total + 0 * got[threadIdx.x];  // <- here
#else
    if (i == n - 1) y[0] = got[threadIdx.x] >= 0;
#endif
}
