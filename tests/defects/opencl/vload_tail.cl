//! what = "vload4 behind the end"
//! kind = "out-of-bounds"
//! sizes = { n = [101] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "inout" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__kernel void k(__global const float* x, __global float* y, int n) {
    const int i = get_global_id(0), t = get_local_id(0);
#ifdef DEFECT
    if (4 * i < n) {
#else
    if (4 * i + 3 < n) {
#endif
        const float4 v = vload4(i, x);  // <- here
        y[i] = v.x + v.y + v.z + v.w;
    }
}
