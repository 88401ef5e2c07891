//! what = "half of the threadgroup array is never filled"
//! kind = "uninitialised"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "u32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
    const uint i = thread_position_in_grid.x;
    const uint t = thread_position_in_threadgroup.x;
    threadgroup float s[64];
#ifdef DEFECT
    if (t < 32) s[t] = 1.0f;
#else
    s[t] = 1.0f;
#endif
    threadgroup_barrier(mem_flags::mem_threadgroup);
    if (i < n) y[i] = s[63 - t] + x[i];  // <- here
