//! what = "no barrier before a tile is filled again"
//! kind = "race"
//! also = ["race"]
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    __shared__ float s[64];
    float sum = 0.0f;
    for (int k = 0; k < 3; ++k) {
        s[threadIdx.x] = i < n ? x[i] * k : 0.0f;  // <- here
        __syncthreads();
        sum += s[63 - threadIdx.x];
#ifndef DEFECT
        __syncthreads();
#endif
    }
    if (i < n) y[i] = sum;
}
