//! what = "lanes of a warp exchange through shared memory as if in lockstep"
//! kind = "race"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    __shared__ float s[64];
    s[threadIdx.x] = i < n ? x[i] : 0.0f;
#ifndef DEFECT
    __syncwarp();
#endif
    if (i < n) y[i] = s[threadIdx.x ^ 1];  // <- here
}
