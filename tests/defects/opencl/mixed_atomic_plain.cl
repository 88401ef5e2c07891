//! what = "a counter is updated atomically and read plainly in one phase"
//! kind = "race"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "i32", shape = ["n"], role = "in" }, counts = { dtype = "i32", shape = [8], role = "inout", init = 0 }, y = { dtype = "i32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__kernel void k(__global const int* x, __global int* counts, __global int* y, int n) {
    const int i = get_global_id(0);
    if (i >= n) return;
    const int bin = x[i] & 7;
#ifdef DEFECT
    atomic_inc(&counts[bin]);
    y[i] = counts[bin];  // <- here
#else
    y[i] = atomic_inc(&counts[bin]) >= 0;
#endif
}
