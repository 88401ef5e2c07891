//! what = "a bit for each of 64 threads in 32 bits"
//! kind = "arithmetic"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "i32", shape = ["n"], role = "in" }, y = { dtype = "i32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const int* x, int* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
#ifdef DEFECT
    y[i] = 1 << threadIdx.x;  // <- here
#else
    y[i] = 1 << (threadIdx.x & 31);
#endif
}
