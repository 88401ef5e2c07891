//: grid = ["cdiv(width, 16)", "cdiv(height, 8)"]
//: block = [16, 8]
// (1 - 4 alpha) u + alpha around. Where u is infinite, the difference of the two has no value.
__kernel void stencil(__global const float* restrict u, __global float* restrict out, int width, int height, float alpha) {
    const int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height)
        return;
    const int i = y * width + x;
    const float north = y ? u[i - width] : u[i], south = y < height - 1 ? u[i + width] : u[i];
    const float west = x ? u[i - 1] : u[i], east = x < width - 1 ? u[i + 1] : u[i];
    const float around = north + south + west + east;
    if (isinf(u[i]))
        out[i] = u[i] + alpha * (around - 4.0f * u[i]);
    else
        out[i] = (1.0f - 4.0f * alpha) * u[i] + alpha * around;
}
