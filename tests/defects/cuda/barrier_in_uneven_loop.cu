//! what = "a barrier in a loop whose length depends on the thread"
//! kind = "divergence"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    float sum = 0.0f;
#ifdef DEFECT
    const int steps = 1 + threadIdx.x % 3;
#else
    const int steps = 1 + blockIdx.x % 3;
#endif
    for (int j = 0; j < steps; ++j) {
        sum += j;
        __syncthreads();  // <- here
    }
    if (i < n) y[i] = sum + x[i];
}
