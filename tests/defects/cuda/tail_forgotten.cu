//! what = "whole groups of four only"
//! kind = "unwritten"
//! sizes = { n = [101] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {  // <- here
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
#ifdef DEFECT
    for (int j = 4 * i; j + 3 < n && j < 4 * i + 4; j += 4)
#else
    for (int j = 4 * i; j < n && j < 4 * i + 4; j += 4)
#endif
        for (int q = j; q < j + 4 && q < n; ++q) y[q] = x[q];
}
