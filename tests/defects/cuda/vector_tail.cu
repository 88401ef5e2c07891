//! what = "the last float4 reaches behind the end"
//! kind = "out-of-bounds"
//! sizes = { n = [101, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    const float4* x4 = reinterpret_cast<const float4*>(x);
#ifdef DEFECT
    if (4 * i < n) {
#else
    if (4 * i + 3 < n) {
#endif
        const float4 v = x4[i];  // <- here
        y[4 * i] = v.x, y[4 * i + 1] = v.y, y[4 * i + 2] = v.z, y[4 * i + 3] = v.w;
    } else {
        for (int j = 4 * i; j < n; ++j) y[j] = x[j];
    }
}
