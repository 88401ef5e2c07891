//! what = "a lane of the other branch is read"
//! kind = "shuffle"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "u32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
    const uint i = thread_position_in_grid.x;
    const uint t = thread_position_in_threadgroup.x;
    float v = i < n ? x[i] : 0.0f;
    if (t % 32 < 16) {
#ifdef DEFECT
        v = simd_shuffle_xor(v, 16);  // <- here
#else
        v = simd_shuffle_xor(v, 8);
#endif
    }
    if (i < n) y[i] = v;
