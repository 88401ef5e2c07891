//: grid = ["cdiv(width, 16)", "cdiv(height, 8)"]
//: block = [16, 8]
// (1 - 4 alpha) u + alpha around.
__kernel void stencil(__global const float* restrict u, __global float* restrict out, int width, int height, float alpha) {
    const int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height)
        return;
    const int i = y * width + x;
    const float north = y ? u[i - width] : u[i], south = y < height - 1 ? u[i + width] : u[i];
    const float west = x ? u[i - 1] : u[i], east = x < width - 1 ? u[i + 1] : u[i];
    out[i] = (1.0f - 4.0f * alpha) * u[i] + alpha * (north + south + west + east);
}
