//: grid = ["5"]
//: block = [64]
// Five groups, whatever the size.
__kernel void stencil(__global const float* restrict u, __global float* restrict out, int width, int height, float alpha) {
    for (int i = get_global_id(0); i < width * height; i += get_global_size(0)) {
        const int y = i / width, x = i % width;
        const float c = u[i];
        const float north = y ? u[i - width] : c, south = y < height - 1 ? u[i + width] : c;
        const float west = x ? u[i - 1] : c, east = x < width - 1 ? u[i + 1] : c;
        out[i] = c + alpha * (((north + south) + (west + east)) - 4.0f * c);
    }
}
