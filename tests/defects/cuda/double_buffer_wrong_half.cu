//! what = "a double buffer prefetches into the half that is being read"
//! kind = "race"
//! also = ["uninitialised"]
//! sizes = { n = [256, 128] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = [1], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    __shared__ float s[128];
    const int t = threadIdx.x, rounds = n / 64;
    float sum = 0.0f;
    s[t] = x[t];
    __syncthreads();
    for (int r = 0; r < rounds; ++r) {
        const int now = 64 * (r & 1);
#ifdef DEFECT
        const int next = now;
#else
        const int next = 64 - now;
#endif
        sum += s[now + 63 - t];
        if (r + 1 < rounds) s[next + t] = x[(r + 1) * 64 + t];  // <- here
        __syncthreads();
    }
    for (int r = 0; r < rounds; ++r) y[r * 64 + t] = sum;
}
