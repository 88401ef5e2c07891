//! what = "a mask with lanes that are not there"
//! kind = "shuffle"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    float v = i < n ? x[i] : 0.0f;
    const int lane = threadIdx.x % 32;
    if (lane < 8) {
#ifdef DEFECT
        v = __shfl_sync(0xffffu, v, 0);  // <- here
#else
        v = __shfl_sync(0xffu, v, 0);
#endif
    }
    if (i < n) y[i] = v;
}
