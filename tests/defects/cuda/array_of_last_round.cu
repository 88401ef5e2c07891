//! what = "a private array keeps nothing from one round of a loop to the next"
//! kind = "uninitialised"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float sum = 0.0f;
#ifndef DEFECT
    float last[2] = {0.0f, 0.0f};
#endif
    for (int r = 0; r < 2; ++r) {
#ifdef DEFECT
        float last[2];
#endif
        if (r == 0) last[0] = x[i], last[1] = 1.0f;
        sum += last[r];  // <- here
    }
    y[i] = sum;
}
