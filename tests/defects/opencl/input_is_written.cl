//! what = "an input is changed in place"
//! kind = "read-only"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__kernel void k(__global float* x, __global float* y, int n) {
    const int i = get_global_id(0), t = get_local_id(0);
    if (i >= n) return;
#ifdef DEFECT
    x[i] += 1.0f;  // <- here
    y[i] = x[i];
#else
    y[i] = x[i] + 1.0f;
#endif
}
