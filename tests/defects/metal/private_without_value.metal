//! what = "a sum starts from nothing"
//! kind = "uninitialised"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "u32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
    const uint i = thread_position_in_grid.x;
    if (i >= n) return;
#ifdef DEFECT
    float sum;
#else
    float sum = 0.0f;
#endif
    for (uint j = 0; j < 4 && i + j < n; ++j) sum += x[i + j];  // <- here
    y[i] = sum;
