//! what = "two barriers, each for half of the threads"
//! kind = "divergence"
//! also = ["divergence"]
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    float v = 0.0f;
#ifdef DEFECT
    if (threadIdx.x < 32) {
#else
    if (n < 0) {
#endif
        v = 1.0f;
        __syncthreads();  // <- here
    } else {
        v = 2.0f;
        __syncthreads();
    }
    if (i < n) y[i] = v + x[i];
}
