//! what = "a gather without a check of its indices"
//! kind = "out-of-bounds"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "i32", shape = ["n"], role = "in" }, y = { dtype = "i32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const int* x, int* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    const int at = x[i];
#ifdef DEFECT
    y[i] = x[at];  // <- here
#else
    y[i] = at < n ? x[at] : 0;
#endif
}
