//! what = "a shuffle with the full mask that half of the warp skips"
//! kind = "shuffle"
//! also = ["shuffle"]
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    float v = i < n ? x[i] : 0.0f;
    const int lane = threadIdx.x % 32;
#ifdef DEFECT
    if (lane < 16) v += __shfl_down_sync(0xffffffffu, v, 8);  // <- here
#else
    const float other = __shfl_down_sync(0xffffffffu, v, 8);
    if (lane < 16) v += other;
#endif
    if (i < n) y[i] = v;
}
