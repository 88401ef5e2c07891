//: grid = ["rows"]
//: block = [1]
// Kahan's summation. Of an infinite sum nothing is lost: inf - inf would make it NaN.
__kernel void rmsnorm(__global const float* restrict x, __global const float* restrict weight, __global float* restrict y,
                      int cols, float eps) {
    x += (size_t)get_group_id(0) * cols;
    y += (size_t)get_group_id(0) * cols;
    float squares = 0.0f, lost = 0.0f;
    for (int c = 0; c < cols; ++c) {
        const float term = x[c] * x[c] - lost;
        const float sum = squares + term;
        lost = isinf(sum) ? 0.0f : (sum - squares) - term;
        squares = sum;
    }
    const float scale = rsqrt(squares / cols + eps);
    for (int c = 0; c < cols; ++c)
        y[c] = x[c] * scale * weight[c];
}
