//! what = "the first thread divides by zero"
//! kind = "arithmetic"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "i32", shape = ["n"], role = "in" }, y = { dtype = "i32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const int* x, int* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
#ifdef DEFECT
    y[i] = x[i] / i;  // <- here
#else
    y[i] = x[i] / (i + 1);
#endif
}
