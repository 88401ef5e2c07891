//! what = "a shift by the thread, of which there are 64"
//! kind = "arithmetic"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "i32", shape = ["n"], role = "in" }, y = { dtype = "i32", shape = ["n"], role = "out" }, n = { dtype = "u32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
    const uint i = thread_position_in_grid.x;
    const uint t = thread_position_in_threadgroup.x;
#ifdef DEFECT
    if (i < n) y[i] = x[i] >> t;  // <- here
#else
    if (i < n) y[i] = x[i] >> (t & 31);
#endif
