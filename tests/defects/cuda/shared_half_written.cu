//! what = "half of the shared array is never filled"
//! kind = "uninitialised"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    __shared__ float s[64];
#ifdef DEFECT
    if (threadIdx.x < 32) s[threadIdx.x] = 1.0f;
#else
    s[threadIdx.x] = 1.0f;
#endif
    __syncthreads();
    if (i < n) y[i] = s[63 - threadIdx.x] + x[i];  // <- here
}
