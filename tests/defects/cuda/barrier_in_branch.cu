//! what = "a barrier that some threads of the block skip"
//! kind = "divergence"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    __shared__ float s[64];
    s[threadIdx.x] = 1.0f;
#ifdef DEFECT
    if (threadIdx.x < 48) __syncthreads();  // <- here
#else
    __syncthreads();
#endif
    if (i < n) y[i] = s[threadIdx.x] + x[i];
}
