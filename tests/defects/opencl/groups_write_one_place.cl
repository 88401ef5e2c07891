//! what = "the local index where the global one belongs"
//! kind = "race"
//! also = ["unwritten"]
//! sizes = { n = [128] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__kernel void k(__global const float* x, __global float* y, int n) {
    const int i = get_global_id(0), t = get_local_id(0);
#ifdef DEFECT
    y[t] = x[i];  // <- here
#else
    y[i] = x[i];
#endif
}
