//: grid = ["rows"]
//: block = [1]
// The mean by a reciprocal, and 1 / sqrt.
__kernel void rmsnorm(__global const float* restrict x, __global const float* restrict weight, __global float* restrict y,
                      int cols, float eps) {
    x += (size_t)get_group_id(0) * cols;
    y += (size_t)get_group_id(0) * cols;
    const float share = 1.0f / cols;
    float squares = 0.0f;
    for (int c = 0; c < cols; ++c)
        squares = fma(x[c], x[c], squares);
    const float scale = 1.0f / sqrt(fma(squares, share, eps));
    for (int c = 0; c < cols; ++c)
        y[c] = x[c] * scale * weight[c];
}
