//! what = "all lanes of a warp shuffle with a mask of the lower half"
//! kind = "shuffle"
//! sizes = { n = [64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = [1], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int t = threadIdx.x;
    float v = x[t];
#ifdef DEFECT
    const unsigned mask = 0x0000ffffu;
#else
    const unsigned mask = 0xffffffffu;
#endif
    for (int d = 8; d > 0; d /= 2) v += __shfl_xor_sync(mask, v, d);  // <- here
    y[t] = v;
}
