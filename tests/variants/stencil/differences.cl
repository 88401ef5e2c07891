//: grid = ["cdiv(width, 16)", "cdiv(height, 8)"]
//: block = [16, 8]
// A sum of differences.
__kernel void stencil(__global const float* restrict u, __global float* restrict out, int width, int height, float alpha) {
    const int x = get_global_id(0), y = get_global_id(1);
    if (x >= width || y >= height)
        return;
    const float c = u[y * width + x];
    float change = 0.0f;
    if (y > 0)
        change += u[(y - 1) * width + x] - c;
    if (y + 1 < height)
        change += u[(y + 1) * width + x] - c;
    if (x > 0)
        change += u[y * width + x - 1] - c;
    if (x + 1 < width)
        change += u[y * width + x + 1] - c;
    out[y * width + x] = fma(alpha, change, c);
}
