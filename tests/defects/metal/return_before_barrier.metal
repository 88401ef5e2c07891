//! what = "threads that are done leave before a barrier"
//! kind = "divergence"
//! sizes = { n = [100] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "u32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
    const uint i = thread_position_in_grid.x;
    const uint t = thread_position_in_threadgroup.x;
    threadgroup float s[64];
#ifdef DEFECT
    if (i >= n) return;
    s[t] = x[i];
#else
    s[t] = i < n ? x[i] : 0.0f;
#endif
    threadgroup_barrier(mem_flags::mem_threadgroup);  // <- here
    if (i < n) y[i] = s[t];
