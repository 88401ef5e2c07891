//! what = "the last element is never written"
//! kind = "unwritten"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {  // <- here
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
#ifdef DEFECT
    if (i < n - 1) y[i] = x[i];
#else
    if (i < n) y[i] = x[i];
#endif
}
