//! what = "a barrier under a condition of the work-item"
//! kind = "divergence"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__kernel void k(__global const float* x, __global float* y, int n) {
    const int i = get_global_id(0), t = get_local_id(0);
    __local float s[64];
    s[t] = i < n ? x[i] : 0.0f;
#ifdef DEFECT
    if (t % 2 == 0) barrier(CLK_LOCAL_MEM_FENCE);  // <- here
#else
    barrier(CLK_LOCAL_MEM_FENCE);
#endif
    if (i < n) y[i] = s[t];
}
