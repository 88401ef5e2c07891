//! what = "a vector of which one component is set only"
//! kind = "uninitialised"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__kernel void k(__global const float* x, __global float* y, int n) {
    const int i = get_global_id(0), t = get_local_id(0);
    if (i >= n) return;
#ifdef DEFECT
    float2 v;
#else
    float2 v = (float2)(0.0f, 0.0f);
#endif
    v.x = x[i];
    y[i] = v.x + v.y;  // <- here
}
