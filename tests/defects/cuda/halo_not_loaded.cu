//! what = "the right halo of the last block is never loaded"
//! kind = "uninitialised"
//! sizes = { n = [640, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    __shared__ float s[66];
    const int t = threadIdx.x, i = blockIdx.x * 64 + t;
    s[t + 1] = x[i];
    if (t == 0) s[0] = i > 0 ? x[i - 1] : 0.0f;
    if (t == 63 && i + 1 < n) s[65] = x[i + 1];
#ifndef DEFECT
    if (t == 63 && i + 1 == n) s[65] = 0.0f;
#endif
    __syncthreads();
    y[i] = s[t] + s[t + 1] + s[t + 2];  // <- here
}
