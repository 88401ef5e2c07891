//! what = "a float4 is read from a padded shared row"
//! kind = "misaligned"
//! sizes = { n = [128] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = [1], block = [64] }
__global__ void k(const float* x, float* y, int n) {
#ifdef DEFECT
    const int pitch = 65;
#else
    const int pitch = 68;
#endif
    __shared__ __align__(16) float s[2 * 68];
    const int t = threadIdx.x;
    for (int r = 0; r < 2; ++r) s[r * pitch + t] = x[r * 64 + t];
    __syncthreads();
    if (t < 32) {
        const float4 v = *reinterpret_cast<const float4*>(&s[t / 16 * pitch + t % 16 * 4]);  // <- here
        reinterpret_cast<float4*>(y)[t] = v;
    }
}
