//! what = "the next round writes what a slow thread still reads"
//! kind = "race"
//! sizes = { n = [256, 128] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "u32", value = "n" } }
//! launch = { grid = [1], block = [64] }
    const uint t = thread_position_in_threadgroup.x;
    threadgroup float s[64];
    float sum = 0.0f;
    for (uint r = 0; r < n / 64; ++r) {
        s[t] = x[r * 64 + t];  // <- here
        threadgroup_barrier(mem_flags::mem_threadgroup);
        sum += s[63 - t];
#ifndef DEFECT
        threadgroup_barrier(mem_flags::mem_threadgroup);
#endif
    }
    for (uint r = 0; r < n / 64; ++r) y[r * 64 + t] = sum;
