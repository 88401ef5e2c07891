//! what = "a shuffle reads lanes that do not take part"
//! kind = "shuffle"
//! sizes = { n = [64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = [1], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int t = threadIdx.x;
    float v = x[t];
#ifdef DEFECT
    if (t < 40)
#endif
        v += __shfl_xor(v, 32);  // <- here
    y[t] = v;
}
