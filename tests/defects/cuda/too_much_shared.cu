//! what = "more shared memory than the device has"
//! kind = "limit"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {  // <- here
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
#ifdef DEFECT
    __shared__ float s[60000];
#else
    __shared__ float s[6000];
#endif
    s[threadIdx.x] = 1.0f;
    if (i < n) y[i] = s[threadIdx.x] + x[i];
}
