//! what = "a barrier that some threads skip"
//! kind = "divergence"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "u32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
    const uint i = thread_position_in_grid.x;
    const uint t = thread_position_in_threadgroup.x;
    threadgroup float s[64];
    s[t] = i < n ? x[i] : 0.0f;
#ifdef DEFECT
    if (t < 48) threadgroup_barrier(mem_flags::mem_threadgroup);  // <- here
#else
    threadgroup_barrier(mem_flags::mem_threadgroup);
#endif
    if (i < n) y[i] = s[t];
