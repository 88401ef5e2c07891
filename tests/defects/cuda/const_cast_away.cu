//! what = "an input is written through a cast that drops const"
//! kind = "read-only"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
#ifdef DEFECT
    float* in = (float*)x;
    in[i] = fabsf(in[i]);  // <- here
    y[i] = in[i];
#else
    y[i] = fabsf(x[i]);
#endif
}
