//! what = "a member of a struct is read that nobody set"
//! kind = "uninitialised"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
struct Pair { float value; int index; };
__global__ void k(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    Pair best;
    best.value = x[i];
#ifndef DEFECT
    best.index = 0;
#endif
    for (int j = 0; j < 4 && i + j < n; ++j)
        if (x[i + j] > best.value) best.value = x[i + j], best.index = j;
    y[i] = best.value + best.index;  // <- here
}
