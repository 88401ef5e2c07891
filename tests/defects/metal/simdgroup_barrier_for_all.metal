//! what = "simdgroups exchange values behind a barrier of the simdgroup only"
//! kind = "race"
//! sizes = { n = [64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "u32", value = "n" } }
//! launch = { grid = [1], block = [64] }
    const uint t = thread_position_in_threadgroup.x;
    threadgroup float s[64];
    s[t] = x[t];
#ifdef DEFECT
    simdgroup_barrier(mem_flags::mem_threadgroup);
#else
    threadgroup_barrier(mem_flags::mem_threadgroup);
#endif
    y[t] = s[63 - t];  // <- here
