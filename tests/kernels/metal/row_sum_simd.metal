    // one simdgroup per row, reduced with simd_shuffle_xor
    uint row = threadgroup_position_in_grid.x;
    uint lane = thread_index_in_simdgroup;
    float sum = 0.0f;
    for (uint c = lane; c < uint(cols); c += 32) {
        sum += x[row * uint(cols) + c];
    }
    for (ushort offset = 16; offset > 0; offset /= 2) {
        sum += simd_shuffle_xor(sum, offset);
    }
    if (lane == 0) {
        sums[row] = sum;
    }
