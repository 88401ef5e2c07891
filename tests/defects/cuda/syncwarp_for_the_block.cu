//! what = "warps exchange values behind a barrier of the warp only"
//! kind = "race"
//! sizes = { n = [64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = [1], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    __shared__ float s[64];
    const int t = threadIdx.x;
    s[t] = x[t];
#ifdef DEFECT
    __syncwarp();
#else
    __syncthreads();
#endif
    y[t] = s[63 - t];  // <- here
}
