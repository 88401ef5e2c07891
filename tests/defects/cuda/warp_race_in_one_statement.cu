//! what = "two lanes of a warp write different values to one place"
//! kind = "race"
//! sizes = { n = [64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = [1], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    __shared__ float s[64];
    const int t = threadIdx.x;
    s[t] = 0.0f;
    __syncthreads();
#ifdef DEFECT
    s[t / 2] = x[t];  // <- here
#else
    s[t] = x[t];
#endif
    __syncthreads();
    y[t] = s[t];
}
