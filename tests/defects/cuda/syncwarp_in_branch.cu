//! what = "a barrier of a warp that half of it skips"
//! kind = "divergence"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    const int lane = threadIdx.x % 32;
    __shared__ float s[64];
    s[threadIdx.x] = 1.0f;
    if (lane < 16) {
#ifdef DEFECT
        __syncwarp();  // <- here
#else
        __syncwarp(0xffffu);
#endif
    }
    if (i < n) y[i] = s[threadIdx.x] + x[i];
}
