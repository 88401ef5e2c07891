//: grid = ["rows"]
//: block = [1]
// One thread a row, three passes.
__kernel void softmax(__global const float* restrict x, __global float* restrict y, int cols) {
    const int row = get_group_id(0);
    x += (size_t)row * cols;
    y += (size_t)row * cols;
    float peak = -INFINITY;
    for (int c = 0; c < cols; ++c)
        peak = fmax(peak, x[c]);
    float total = 0.0f;
    for (int c = 0; c < cols; ++c)
        total += exp(x[c] - peak);
    for (int c = 0; c < cols; ++c)
        y[c] = exp(x[c] - peak) / total;
}
