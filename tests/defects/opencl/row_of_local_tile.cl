//! what = "the row is used as if it had padding"
//! kind = "out-of-bounds"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__kernel void k(__global const float* x, __global float* y, int n) {
    const int i = get_global_id(0), t = get_local_id(0);
    __local float tile[8][8];
    const int r = t / 8, c = t % 8;
    tile[r][c] = i < n ? x[i] : 0.0f;
    barrier(CLK_LOCAL_MEM_FENCE);
#ifdef DEFECT
    const float v = r < 7 ? tile[r][c + 1] : 0.0f;  // <- here
#else
    const float v = c < 7 ? tile[r][c + 1] : 0.0f;
#endif
    if (i < n) y[i] = v;
}
