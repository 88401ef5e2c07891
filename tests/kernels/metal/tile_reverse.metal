    // every threadgroup writes its 64 elements backwards, through threadgroup memory
    threadgroup float tile[64];
    uint t = thread_position_in_threadgroup.x;
    uint base = threadgroup_position_in_grid.x * 64;
    tile[t] = x[base + t];
    threadgroup_barrier(mem_flags::mem_threadgroup);
    y[base + t] = tile[63 - t];
