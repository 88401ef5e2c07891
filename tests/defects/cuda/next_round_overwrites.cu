//! what = "the next round writes the buffer that a slow thread still reads"
//! kind = "race"
//! sizes = { n = [256, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = [1], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    __shared__ float s[2][64];
    const int t = threadIdx.x;
    float sum = 0.0f;
    for (int r = 0; r < n / 64; ++r) {
#ifdef DEFECT
        float* now = s[0];
#else
        float* now = s[r & 1];
#endif
        now[t] = x[r * 64 + t];  // <- here
        __syncthreads();
        sum += now[63 - t];
    }
    for (int r = 0; r < n / 64; ++r) y[r * 64 + t] = sum;
}
