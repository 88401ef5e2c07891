//! what = "a sum over lanes that uses what comes from behind the last one"
//! kind = "shuffle"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "u32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
    const uint i = thread_position_in_grid.x;
    const uint t = thread_position_in_threadgroup.x;
    float v = i < n ? x[i] : 0.0f;
    const float other = simd_shuffle_down(v, 8);  // <- here
#ifdef DEFECT
    v += other;
#else
    if (t % 32 < 24) v += other;
#endif
    if (i < n) y[i] = v;
