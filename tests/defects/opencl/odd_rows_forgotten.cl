//! what = "two elements a work-item, but for the last"
//! kind = "unwritten"
//! sizes = { n = [101] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__kernel void k(__global const float* x, __global float* y, int n) {  // <- here
    const int i = get_global_id(0), t = get_local_id(0);
#ifdef DEFECT
    if (2 * i + 1 < n) y[2 * i] = x[2 * i], y[2 * i + 1] = x[2 * i + 1];
#else
    if (2 * i < n) y[2 * i] = x[2 * i];
    if (2 * i + 1 < n) y[2 * i + 1] = x[2 * i + 1];
#endif
}
