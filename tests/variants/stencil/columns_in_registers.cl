//: grid = ["cdiv(width, 32)"]
//: block = [32]
// A thread marches down a column with three values in registers.
__kernel void stencil(__global const float* restrict u, __global float* restrict out, int width, int height, float alpha) {
    const int x = get_global_id(0);
    if (x >= width)
        return;
    float above = u[x], here = above;
    for (int y = 0; y < height; ++y) {
        const float below = y + 1 < height ? u[(y + 1) * width + x] : here;
        const float west = u[y * width + max(x - 1, 0)], east = u[y * width + min(x + 1, width - 1)];
        out[y * width + x] = here + alpha * (above + below + west + east - 4.0f * here);
        above = here;
        here = below;
    }
}
