//! what = "a barrier in a loop whose trip count differs between warps"
//! kind = "divergence"
//! sizes = { n = [64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = [1], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    __shared__ float s[64];
    const int t = threadIdx.x;
    s[t] = x[t];
    __syncthreads();
    float sum = 0.0f;
#ifdef DEFECT
    const int trips = t / 32 + 1;
#else
    const int trips = 2;
#endif
    for (int r = 0; r < trips; ++r) {
        sum += s[(t + r) % 64];
        __syncthreads();  // <- here
    }
    y[t] = sum;
}
