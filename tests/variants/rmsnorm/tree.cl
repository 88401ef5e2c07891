//: grid = ["rows"]
//: block = ["WG"]
//: WG = [16, 128]
// A tree in local memory.
__kernel void rmsnorm(__global const float* restrict x, __global const float* restrict weight, __global float* restrict y,
                      int cols, float eps) {
    x += (size_t)get_group_id(0) * cols;
    y += (size_t)get_group_id(0) * cols;
    __local float part[WG];
    const int t = get_local_id(0);
    float squares = 0.0f;
    for (int c = t; c < cols; c += WG)
        squares += x[c] * x[c];
    part[t] = squares;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int s = WG / 2; s > 0; s /= 2) {
        if (t < s)
            part[t] += part[t + s];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    const float scale = rsqrt(part[0] / cols + eps);
    for (int c = t; c < cols; c += WG)
        y[c] = x[c] * scale * weight[c];
}
