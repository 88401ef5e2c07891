//! what = "a remainder by what may be zero in the data"
//! kind = "arithmetic"
//! sizes = { n = [200] }
//! args = { x = { dtype = "i32", shape = ["n"], role = "in" }, y = { dtype = "i32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const int* x, int* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
#ifdef DEFECT
    y[i] = n % (x[i] / 200);  // <- here
#else
    y[i] = n % (x[i] / 200 + 1);
#endif
}
