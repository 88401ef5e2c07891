//! what = "a float4 store covers words that scalar stores of other threads write"
//! kind = "race"
//! sizes = { n = [64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = [1], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    __shared__ float4 s4[16];
    float* s = reinterpret_cast<float*>(s4);
    const int t = threadIdx.x;
    if (t < 16) s4[t] = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
#ifndef DEFECT
    __syncthreads();
#endif
    s[t] = x[t];  // <- here
    __syncthreads();
    y[t] = s[63 - t];
}
