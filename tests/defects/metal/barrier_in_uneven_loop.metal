//! what = "a barrier in a loop that threads leave at different times"
//! kind = "divergence"
//! sizes = { n = [100] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "u32", value = "n" } }
//! launch = { grid = [1], block = [64] }
    const uint t = thread_position_in_threadgroup.x;
    float sum = 0.0f;
#ifdef DEFECT
    for (uint j = t; j < n; j += 64) {
#else
    for (uint j = t; j < (n + 63) / 64 * 64; j += 64) {
#endif
        sum += j < n ? x[j] : 0.0f;
        threadgroup_barrier(mem_flags::mem_threadgroup);  // <- here
    }
    for (uint j = t; j < n; j += 64) y[j] = sum;
