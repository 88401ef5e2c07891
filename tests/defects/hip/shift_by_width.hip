//! what = "a mask of all lanes shifts 64 bits by 64"
//! kind = "arithmetic"
//! sizes = { n = [64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = [1], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int t = threadIdx.x;
#ifdef DEFECT
    const unsigned long long below = ~(~0ull << (t + 1));  // <- here
#else
    const unsigned long long below = ~0ull >> (63 - t);
#endif
    y[t] = x[t] * __popcll(below);
}
