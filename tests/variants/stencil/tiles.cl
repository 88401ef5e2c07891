//: grid = ["cdiv(width, TS)", "cdiv(height, TS)"]
//: block = ["TS", "TS"]
//: TS = [8, 16]
// Tiles that their threads fill in turns, with corners.
__kernel void stencil(__global const float* restrict u, __global float* restrict out, int width, int height, float alpha) {
    __local float tile[TS + 2][TS + 2];
    const int x0 = get_group_id(0) * TS, y0 = get_group_id(1) * TS;
    const int t = get_local_id(1) * TS + get_local_id(0);
    for (int i = t; i < (TS + 2) * (TS + 2); i += TS * TS) {
        const int ty = i / (TS + 2), tx = i % (TS + 2);
        const int y = min(max(y0 + ty - 1, 0), height - 1), x = min(max(x0 + tx - 1, 0), width - 1);
        tile[ty][tx] = u[y * width + x];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    const int tx = get_local_id(0) + 1, ty = get_local_id(1) + 1, x = x0 + tx - 1, y = y0 + ty - 1;
    if (x < width && y < height) {
        const float around = tile[ty - 1][tx] + tile[ty + 1][tx] + tile[ty][tx - 1] + tile[ty][tx + 1];
        out[y * width + x] = tile[ty][tx] + alpha * (around - 4.0f * tile[ty][tx]);
    }
}
