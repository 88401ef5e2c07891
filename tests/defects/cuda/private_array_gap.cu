//! what = "an array whose last element is not filled"
//! kind = "uninitialised"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "i32", shape = ["n"], role = "in" }, y = { dtype = "i32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const int* x, int* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int a[4];
#ifdef DEFECT
    for (int j = 0; j < 3; ++j) a[j] = x[i] + j;
#else
    for (int j = 0; j < 4; ++j) a[j] = x[i] + j;
#endif
    y[i] = a[x[i] & 3];  // <- here
}
