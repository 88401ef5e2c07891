//! what = "the position in the group where that in the grid belongs"
//! kind = "race"
//! also = ["unwritten"]
//! sizes = { n = [128] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "u32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
    const uint i = thread_position_in_grid.x;
    const uint t = thread_position_in_threadgroup.x;
#ifdef DEFECT
    y[t] = x[i] + n;  // <- here
#else
    y[i] = x[i] + n;
#endif
