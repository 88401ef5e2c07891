//! what = "bins are counted without atomics"
//! kind = "race"
//! sizes = { n = [300] }
//! args = { x = { dtype = "i32", shape = ["n"], role = "in" }, counts = { dtype = "i32", shape = [16], role = "inout", init = 0 }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const int* x, int* counts, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
#ifdef DEFECT
    counts[x[i] & 15] = counts[x[i] & 15] + 1;  // <- here
#else
    atomicAdd(&counts[x[i] & 15], 1);
#endif
}
