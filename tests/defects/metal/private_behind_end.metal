//! what = "a loop with <= over an array of a thread"
//! kind = "out-of-bounds"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "u32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
    const uint i = thread_position_in_grid.x;
    const uint t = thread_position_in_threadgroup.x;
    float a[4] = {1.0f, 2.0f, 3.0f, 4.0f};
    float sum = 0.0f;
#ifdef DEFECT
    for (int j = 0; j <= 4; ++j)
#else
    for (int j = 0; j < 4; ++j)
#endif
        sum += a[j];  // <- here
    if (i < n) y[i] = sum + x[i];
