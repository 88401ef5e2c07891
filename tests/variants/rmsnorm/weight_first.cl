//: grid = ["rows"]
//: block = [1]
// The weight is scaled, from the last column to the first.
__kernel void rmsnorm(__global const float* restrict x, __global const float* restrict weight, __global float* restrict y,
                      int cols, float eps) {
    x += (size_t)get_group_id(0) * cols;
    y += (size_t)get_group_id(0) * cols;
    float squares = 0.0f;
    for (int c = cols - 1; c >= 0; --c)
        squares += x[c] * x[c];
    const float scale = rsqrt(squares / cols + eps);
    for (int c = cols - 1; c >= 0; --c)
        y[c] = x[c] * (weight[c] * scale);
}
