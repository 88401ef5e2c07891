//: grid = ["rows"]
//: block = [1]
//: S = [4, 8]
// S sums.
__kernel void rmsnorm(__global const float* restrict x, __global const float* restrict weight, __global float* restrict y,
                      int cols, float eps) {
    x += (size_t)get_group_id(0) * cols;
    y += (size_t)get_group_id(0) * cols;
    float sums[S];
    for (int s = 0; s < S; ++s)
        sums[s] = 0.0f;
    for (int c = 0; c < cols; ++c)
        sums[c % S] = fma(x[c], x[c], sums[c % S]);
    float squares = sums[0];
    for (int s = 1; s < S; ++s)
        squares += sums[s];
    const float scale = rsqrt(squares / cols + eps);
    for (int c = 0; c < cols; ++c)
        y[c] = x[c] * scale * weight[c];
}
