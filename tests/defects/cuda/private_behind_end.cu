//! what = "a loop with <= over a private array"
//! kind = "out-of-bounds"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float a[4];
    for (int j = 0; j < 4; ++j) a[j] = x[i] * j;
    float sum = 0.0f;
#ifdef DEFECT
    for (int j = 0; j <= 4; ++j)
#else
    for (int j = 0; j < 4; ++j)
#endif
        sum += a[j];  // <- here
    y[i] = sum;
}
