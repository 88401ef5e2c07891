//! what = "vstore4 of neighbours overlaps"
//! kind = "race"
//! also = ["unwritten"]
//! sizes = { n = [64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__kernel void k(__global const float* x, __global float* y, int n) {
    const int i = get_global_id(0);
    if (4 * i + 3 >= n) return;
    const float4 v = vload4(i, x);
#ifdef DEFECT
    vstore4(v, 0, y + 3 * i);  // <- here
#else
    vstore4(v, i, y);
#endif
}
