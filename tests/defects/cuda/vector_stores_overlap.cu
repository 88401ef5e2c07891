//! what = "float4 stores of two threads overlap by half"
//! kind = "race"
//! also = ["unwritten"]
//! sizes = { n = [64, 128] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (4 * i + 3 >= n) return;
#ifdef DEFECT
    float2* out = reinterpret_cast<float2*>(y) + i;
#else
    float2* out = reinterpret_cast<float2*>(y) + 2 * i;
#endif
    out[0] = make_float2(x[4 * i], x[4 * i + 1]);
    if (2 * i + 3 < n) out[1] = make_float2(x[4 * i + 2], x[4 * i + 3]);  // <- here
}
