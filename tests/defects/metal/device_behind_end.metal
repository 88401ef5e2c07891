//! what = "no guard at all"
//! kind = "out-of-bounds"
//! also = ["out-of-bounds"]
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "u32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
    const uint i = thread_position_in_grid.x;
    const uint t = thread_position_in_threadgroup.x;
#ifdef DEFECT
    y[i] = x[i];  // <- here
#else
    if (i < n) y[i] = x[i];
#endif
