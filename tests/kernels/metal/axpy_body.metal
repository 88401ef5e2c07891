    // body of an mx.fast.metal_kernel: MLX writes the signature from the inputs' names
    uint i = thread_position_in_grid.x;
    if (i < uint(n)) {
        out[i] = a * x[i] + y[i];
    }
