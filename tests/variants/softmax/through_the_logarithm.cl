//: grid = ["rows"]
//: block = [1]
// y = exp(x - peak - log(total)): no division.
__kernel void softmax(__global const float* restrict x, __global float* restrict y, int cols) {
    x += (size_t)get_group_id(0) * cols;
    y += (size_t)get_group_id(0) * cols;
    float peak = -FLT_MAX, total = 0.0f;
    for (int c = 0; c < cols; ++c)
        peak = fmax(peak, x[c]);
    for (int c = 0; c < cols; ++c)
        total += exp(x[c] - peak);
    const float shift = log(total);
    for (int c = 0; c < cols; ++c)
        y[c] = exp((x[c] - peak) - shift);
}
