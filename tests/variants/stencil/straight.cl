//: grid = ["cdiv(width, BX)", "cdiv(height, BY)"]
//: block = ["BX", "BY"]
//: BX = [16, 64]
//: BY = [16, 1]
// No shared memory.
__kernel void stencil(__global const float* restrict u, __global float* restrict out, int width, int height, float alpha) {
    const int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height)
        return;
    const float center = u[y * width + x];
    const float north = u[max(y - 1, 0) * width + x], south = u[min(y + 1, height - 1) * width + x];
    const float west = u[y * width + max(x - 1, 0)], east = u[y * width + min(x + 1, width - 1)];
    out[y * width + x] = center + alpha * (north + south + west + east - 4.0f * center);
}
