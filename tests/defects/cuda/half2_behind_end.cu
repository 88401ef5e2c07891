//! what = "an odd count is read in pairs of halves"
//! kind = "out-of-bounds"
//! sizes = { n = [101, 64] }
//! args = { x = { dtype = "f16", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
#include <cuda_fp16.h>
__global__ void k(const half* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    const half2* pairs = reinterpret_cast<const half2*>(x);
#ifdef DEFECT
    if (2 * i < n) {
#else
    if (2 * i + 1 < n) {
#endif
        const float2 v = __half22float2(pairs[i]);  // <- here
        y[2 * i] = v.x;
        if (2 * i + 1 < n) y[2 * i + 1] = v.y;
    } else if (2 * i < n) {
        y[2 * i] = __half2float(x[2 * i]);
    }
}
