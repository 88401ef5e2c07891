//! what = "a barrier in a loop that work-items leave at different times"
//! kind = "divergence"
//! sizes = { n = [100] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = [1], block = [64] }
__kernel void k(__global const float* x, __global float* y, int n) {
    const int t = get_local_id(0);
    float sum = 0.0f;
#ifdef DEFECT
    for (int j = t; j < n; j += 64) {
#else
    for (int j = t; j < (n + 63) / 64 * 64; j += 64) {
#endif
        sum += j < n ? x[j] : 0.0f;
        barrier(CLK_LOCAL_MEM_FENCE);  // <- here
    }
    for (int j = t; j < n; j += 64) y[j] = sum;
}
