//! what = "the launch gives half of what the kernel uses"
//! kind = "out-of-bounds"
//! also = ["out-of-bounds"]
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64], shared = 256 }
__global__ void k(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    extern __shared__ float s[];
#ifdef DEFECT
    s[2 * threadIdx.x] = i < n ? x[i] : 0.0f;  // <- here
    const float v = s[2 * threadIdx.x];
#else
    s[threadIdx.x] = i < n ? x[i] : 0.0f;
    const float v = s[threadIdx.x];
#endif
    if (i < n) y[i] = v;
}
