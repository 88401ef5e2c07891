//! what = "a loop whose step is zero"
//! kind = "hang"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    float sum = 0.0f;
#ifdef DEFECT
    const int step = gridDim.x / 1000;
#else
    const int step = gridDim.x * blockDim.x;
#endif
    for (int j = i; j < n; j += step) sum += x[j];  // <- here
    if (i < n) y[i] = sum;
}
