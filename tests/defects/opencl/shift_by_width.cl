//! what = "a shift by the work-item, of which there are 64"
//! kind = "arithmetic"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "i32", shape = ["n"], role = "in" }, y = { dtype = "i32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__kernel void k(__global const int* x, __global int* y, int n) {
    const int i = get_global_id(0), t = get_local_id(0);
    if (i >= n) return;
#ifdef DEFECT
    y[i] = x[i] >> t;  // <- here
#else
    y[i] = x[i] >> (t & 31);
#endif
}
