//! what = "more local memory than a compute unit has"
//! kind = "limit"
//! sizes = { n = [64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = [1], block = [64] }
__global__ void k(const float* x, float* y, int n) {  // <- here
#ifdef DEFECT
    __shared__ float s[17000];
#else
    __shared__ float s[16000];
#endif
    const int t = threadIdx.x;
    s[t] = x[t];
    __syncthreads();
    y[t] = s[63 - t];
}
