//: grid = ["rows"]
//: block = [1]
// One pass for maximum and sum: the sum is rescaled when the maximum grows.
__kernel void softmax(__global const float* restrict x, __global float* restrict y, int cols) {
    x += (size_t)get_group_id(0) * cols;
    y += (size_t)get_group_id(0) * cols;
    float peak = x[0], total = 1.0f;
    for (int c = 1; c < cols; ++c) {
        const float v = x[c];
        const float higher = fmax(peak, v);
        total = total * exp(peak - higher) + exp(v - higher);
        peak = higher;
    }
    const float scale = 1.0f / total;
    for (int c = 0; c < cols; ++c)
        y[c] = exp(x[c] - peak) * scale;
}
