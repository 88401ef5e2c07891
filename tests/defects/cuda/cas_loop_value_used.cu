//! what = "the plain read before a compare-and-swap loop is used for more than guessing"
//! kind = "race"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, sum = { dtype = "f32", shape = [1], role = "inout", init = 0 }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__device__ float add(float* p, float v, float* seen) {
    int* bits = (int*)p;
    int old = *bits, assumed;
#ifdef DEFECT
    *seen = __int_as_float(old);
#endif
    do {
        assumed = old;
        old = atomicCAS(bits, assumed, __float_as_int(v + __int_as_float(assumed)));  // <- here
    } while (assumed != old);
    return __int_as_float(old);
}
__global__ void k(const float* x, float* sum, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        y[i] = 0.0f;
        add(sum, x[i], &y[i]);
    }
}
