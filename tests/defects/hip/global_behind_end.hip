//! what = "the guard is missing"
//! kind = "out-of-bounds"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
#ifndef DEFECT
    if (i < n)
#endif
        y[i] = x[i];  // <- here
}
