//! what = "mem_threadgroup for data in device memory"
//! kind = "race"
//! sizes = { n = [128] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "u32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
    const uint i = thread_position_in_grid.x;
    const uint t = thread_position_in_threadgroup.x;
    y[i] = x[i];
#ifdef DEFECT
    threadgroup_barrier(mem_flags::mem_threadgroup);
#else
    threadgroup_barrier(mem_flags::mem_threadgroup | mem_flags::mem_device);
#endif
    const float v = y[i ^ 1];  // <- here
    threadgroup_barrier(mem_flags::mem_device);
    y[i] = v + 0.0f * n;
