//! what = "only the last group reads the halo behind the end"
//! kind = "out-of-bounds"
//! sizes = { n = [640, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__kernel void k(__global const float* x, __global float* y, int n) {
    const int i = get_global_id(0);
    if (i >= n) return;
    const float left = i > 0 ? x[i - 1] : 0.0f;
#ifdef DEFECT
    const float right = x[i + 1];  // <- here
#else
    const float right = i + 1 < n ? x[i + 1] : 0.0f;
#endif
    y[i] = left + right;
}
