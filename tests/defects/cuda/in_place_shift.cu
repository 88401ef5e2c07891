//! what = "an array is shifted in place by many threads"
//! kind = "race"
//! also = ["race"]
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "inout" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
#ifdef DEFECT
    if (i + 1 < n) y[i] = y[i + 1];  // <- here
#else
    const float v = i + 1 < n ? x[i + 1] : 0.0f;
    if (i < n) y[i] = v;
#endif
}
