//! what = "a subscript behind its row, but inside the tile"
//! kind = "out-of-bounds"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "u32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
    const uint i = thread_position_in_grid.x;
    const uint t = thread_position_in_threadgroup.x;
    threadgroup float tile[8][8];
    const uint r = t / 8, c = t % 8;
    tile[r][c] = i < n ? x[i] : 0.0f;
    threadgroup_barrier(mem_flags::mem_threadgroup);
#ifdef DEFECT
    const float v = r < 7 ? tile[r][c + 1] : 0.0f;  // <- here
#else
    const float v = c < 7 ? tile[r][c + 1] : 0.0f;
#endif
    if (i < n) y[i] = v;
