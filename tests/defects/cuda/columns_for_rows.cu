//! what = "rows and columns are mixed up, which a square hides"
//! kind = "out-of-bounds"
//! sizes = { n = [8, 4] }
//! args = { x = { dtype = "f32", shape = ["4 * n"], role = "in" }, y = { dtype = "f32", shape = ["4 * n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = [1], block = [8, 4] }
__global__ void k(const float* x, float* y, int n) {
    const int c = threadIdx.x, r = threadIdx.y;
    if (r >= 4 || c >= n) return;
#ifdef DEFECT
    y[r * n + c] = x[c * n + r];  // <- here
#else
    y[r * n + c] = x[c * 4 + r];
#endif
}
