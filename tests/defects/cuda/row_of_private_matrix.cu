//! what = "a subscript behind its row in registers"
//! kind = "out-of-bounds"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float a[2][3] = {{x[i], 1.0f, 2.0f}, {3.0f, 4.0f, 5.0f}};
    float sum = 0.0f;
#ifdef DEFECT
    for (int j = 0; j < 4; ++j)
#else
    for (int j = 0; j < 3; ++j)
#endif
        sum += a[0][j];  // <- here
    y[i] = sum;
}
