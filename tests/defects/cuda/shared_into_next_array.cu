//! what = "a row index runs out of one shared array towards the next"
//! kind = "out-of-bounds"
//! sizes = { n = [64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = [1], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    __shared__ float a[64];
    __shared__ float b[64];
    const int t = threadIdx.x;
    b[t] = 0.0f;
    __syncthreads();
#ifdef DEFECT
    a[t + 1] = x[t];  // <- here
#else
    a[t] = x[t];
#endif
    __syncthreads();
    y[t] = a[t == 0 ? 1 : t] + b[t];
}
