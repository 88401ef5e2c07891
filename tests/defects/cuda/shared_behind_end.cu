//! what = "one element too many is read of a shared array"
//! kind = "out-of-bounds"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    __shared__ float s[64];
    s[threadIdx.x] = i < n ? x[i] : 0.0f;
    __syncthreads();
    const int t = threadIdx.x;
#ifdef DEFECT
    const float next = s[t + 1];  // <- here
#else
    const float next = t + 1 < 64 ? s[t + 1] : 0.0f;
#endif
    if (i < n) y[i] = next;
}
