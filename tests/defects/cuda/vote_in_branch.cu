//! what = "a vote of the whole warp behind a guard"
//! kind = "shuffle"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    bool any = false;
#ifdef DEFECT
    if (i < n) any = __any_sync(0xffffffffu, x[i] > 0.0f);  // <- here
#else
    any = __any_sync(0xffffffffu, i < n && x[i] > 0.0f);
#endif
    if (i < n) y[i] = any ? 1.0f : 0.0f;
}
