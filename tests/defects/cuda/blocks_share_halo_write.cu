//! what = "blocks write one element of their neighbour"
//! kind = "race"
//! sizes = { n = [256] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int i = blockIdx.x * 64 + threadIdx.x;
    y[i] = x[i];
#ifdef DEFECT
    if (threadIdx.x == 63 && i + 1 < n) y[i + 1] = x[i];  // <- here
#endif
}
