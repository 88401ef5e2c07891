//: grid = ["rows"]
//: block = ["WG"]
//: WG = [8, 64, 256]
// Trees in local memory.
__kernel void softmax(__global const float* restrict x, __global float* restrict y, int cols) {
    __local float part[WG];
    const int t = get_local_id(0);
    x += (size_t)get_group_id(0) * cols;
    y += (size_t)get_group_id(0) * cols;
    float peak = -FLT_MAX;
    for (int c = t; c < cols; c += WG)
        peak = fmax(peak, x[c]);
    part[t] = peak;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int s = WG / 2; s > 0; s /= 2) {
        if (t < s)
            part[t] = fmax(part[t], part[t + s]);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    peak = part[0];
    barrier(CLK_LOCAL_MEM_FENCE);
    float total = 0.0f;
    for (int c = t; c < cols; c += WG)
        total += exp(x[c] - peak);
    part[t] = total;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int s = WG / 2; s > 0; s /= 2) {
        if (t < s)
            part[t] += part[t + s];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    const float scale = 1.0f / part[0];
    for (int c = t; c < cols; c += WG)
        y[c] = exp(x[c] - peak) * scale;
}
