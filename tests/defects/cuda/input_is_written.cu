//! what = "an input serves as scratch memory"
//! kind = "read-only"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
#ifdef DEFECT
    x[i] = 2.0f * x[i];  // <- here
    y[i] = x[i];
#else
    y[i] = 2.0f * x[i];
#endif
}
