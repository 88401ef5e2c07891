    // accurate and fast functions side by side, select and clamp, a vector built and taken apart
    uint i = thread_position_in_grid.x;
    if (i >= uint(n)) {
        return;
    }
    float v = clamp(x[i], -20.0f, 20.0f);
    float e = metal::precise::exp(v);
    y[i] = v > 15.0f ? v : metal::precise::log(1.0f + e);
