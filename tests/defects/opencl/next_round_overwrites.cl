//! what = "the next round writes what a slow work-item still reads"
//! kind = "race"
//! sizes = { n = [256, 128] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = [1], block = [64] }
__kernel void k(__global const float* x, __global float* y, int n) {
    __local float s[64];
    const int t = get_local_id(0);
    float sum = 0.0f;
    for (int r = 0; r < n / 64; ++r) {
        s[t] = x[r * 64 + t];  // <- here
        barrier(CLK_LOCAL_MEM_FENCE);
        sum += s[63 - t];
#ifndef DEFECT
        barrier(CLK_LOCAL_MEM_FENCE);
#endif
    }
    for (int r = 0; r < n / 64; ++r) y[r * 64 + t] = sum;
}
