//! what = "two components of a private vector are never set"
//! kind = "uninitialised"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__kernel void k(__global const float* x, __global float* y, int n) {
    const int i = get_global_id(0);
    if (i >= n) return;
    float4 v;
    v.x = x[i];
    v.y = 1.0f;
#ifndef DEFECT
    v.z = 0.0f;
    v.w = 0.0f;
#endif
    y[i] = v.x + v.y + v.z + v.w;  // <- here
}
