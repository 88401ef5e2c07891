//! what = "a loop that waits for what no thread does"
//! kind = "hang"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "u32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
    const uint i = thread_position_in_grid.x;
    const uint t = thread_position_in_threadgroup.x;
    float v = i < n ? x[i] : 0.0f;
#ifdef DEFECT
    while (v == v) v += 0.0f;  // <- here
#else
    while (v < 8.0f) v += 1.0f;
#endif
    if (i < n) y[i] = v;
