//: grid = ["rows"]
//: block = [1]
// Kahan's summation.
__kernel void softmax(__global const float* restrict x, __global float* restrict y, int cols) {
    x += (size_t)get_group_id(0) * cols;
    y += (size_t)get_group_id(0) * cols;
    float peak = -FLT_MAX;
    for (int c = 0; c < cols; ++c)
        peak = fmax(peak, x[c]);
    float total = 0.0f, lost = 0.0f;
    for (int c = 0; c < cols; ++c) {
        const float term = exp(x[c] - peak) - lost;
        const float sum = total + term;
        lost = (sum - total) - term;
        total = sum;
    }
    for (int c = 0; c < cols; ++c)
        y[c] = exp(x[c] - peak) / total;
}
