//! what = "a float2 at odd elements"
//! kind = "misaligned"
//! sizes = { n = [128] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "inout" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__kernel void k(__global const float* x, __global float* y, int n) {
    const int i = get_global_id(0), t = get_local_id(0);
#ifdef DEFECT
    __global const float2* p = (__global const float2*)(x + 1);
#else
    __global const float2* p = (__global const float2*)(x + 2);
#endif
    const float2 v = p[i < 50 ? i : 0];  // <- here
    if (i < 50) y[i] = v.x;
}
