//: grid = ["rows"]
//: block = [1]
// exp(d) as exp2(d log2(e)).
__kernel void softmax(__global const float* restrict x, __global float* restrict y, int cols) {
    const float log2e = 1.442695041f;
    x += (size_t)get_group_id(0) * cols;
    y += (size_t)get_group_id(0) * cols;
    float peak = -FLT_MAX, total = 0.0f;
    for (int c = 0; c < cols; ++c)
        peak = fmax(peak, x[c]);
    for (int c = 0; c < cols; ++c)
        total += exp2((x[c] - peak) * log2e);
    const float scale = 1.0f / total;
    for (int c = 0; c < cols; ++c)
        y[c] = exp2((x[c] - peak) * log2e) * scale;
}
