//! what = "only the last threadgroup reads the halo behind the end"
//! kind = "out-of-bounds"
//! sizes = { n = [640, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "u32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
    const uint i = thread_position_in_grid.x;
    if (i >= n) return;
    const float left = i > 0 ? x[i - 1] : 0.0f;
#ifdef DEFECT
    const float right = x[i + 1];  // <- here
#else
    const float right = i + 1 < n ? x[i + 1] : 0.0f;
#endif
    y[i] = left + right;
