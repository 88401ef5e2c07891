//! what = "the last elements of a tile are filled only where there is data"
//! kind = "uninitialised"
//! sizes = { n = [100] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__kernel void k(__global const float* x, __global float* y, int n) {
    const int i = get_global_id(0), t = get_local_id(0);
    __local float s[64];
#ifdef DEFECT
    if (i < n) s[t] = x[i];
#else
    s[t] = i < n ? x[i] : 0.0f;
#endif
    barrier(CLK_LOCAL_MEM_FENCE);
    if (i < n) y[i] = s[63 - t];  // <- here
}
