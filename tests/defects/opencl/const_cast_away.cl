//! what = "an input is written through a cast that drops const"
//! kind = "read-only"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__kernel void k(__global const float* x, __global float* y, int n) {
    const int i = get_global_id(0);
    if (i >= n) return;
#ifdef DEFECT
    __global float* in = (__global float*)x;
    in[i] = fabs(in[i]);  // <- here
    y[i] = in[i];
#else
    y[i] = fabs(x[i]);
#endif
}
