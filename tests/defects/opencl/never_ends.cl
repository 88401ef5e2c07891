//! what = "a loop steps over its end"
//! kind = "hang"
//! sizes = { n = [64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__kernel void k(__global const float* x, __global float* y, int n) {
    const int i = get_global_id(0);
    if (i >= n) return;
    int j = 1;
#ifdef DEFECT
    while (j != 100) j += 2;  // <- here
#else
    while (j < 100) j += 2;
#endif
    y[i] = x[i] + j;
}
