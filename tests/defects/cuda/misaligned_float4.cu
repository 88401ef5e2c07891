//! what = "a float4 at an odd element"
//! kind = "misaligned"
//! sizes = { n = [128] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
#ifdef DEFECT
    const float4* x4 = reinterpret_cast<const float4*>(x + 1);
#else
    const float4* x4 = reinterpret_cast<const float4*>(x + 4);
#endif
    const float4 v = i < 16 ? x4[i] : x4[0];  // <- here
    if (i < n) y[i] = v.x;
}
