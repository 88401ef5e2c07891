//! what = "the last warp of a reduction, as in 2010"
//! kind = "race"
//! also = ["race"]
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["cdiv(n, 64)"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    __shared__ float s[64];
    s[threadIdx.x] = i < n ? x[i] : 0.0f;
    __syncthreads();
    if (threadIdx.x < 32) {
        float v = s[threadIdx.x];
        for (int k = 32; k > 0; k /= 2) {
            v += s[threadIdx.x + k];  // <- here
#ifndef DEFECT
            __syncwarp();
#endif
            s[threadIdx.x] = v;
#ifndef DEFECT
            __syncwarp();
#endif
        }
        if (threadIdx.x == 0) y[blockIdx.x] = v;
    }
}
