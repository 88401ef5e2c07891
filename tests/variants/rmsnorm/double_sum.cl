//: grid = ["rows"]
//: block = [1]
#pragma OPENCL EXTENSION cl_khr_fp64 : enable

__kernel void rmsnorm(__global const float* restrict x, __global const float* restrict weight, __global float* restrict y,
                      int cols, float eps) {
    x += (size_t)get_group_id(0) * cols;
    y += (size_t)get_group_id(0) * cols;
    double squares = 0.0;
    for (int c = 0; c < cols; ++c)
        squares += (double)x[c] * x[c];
    const float scale = (float)(1.0 / sqrt(squares / cols + eps));
    for (int c = 0; c < cols; ++c)
        y[c] = x[c] * scale * weight[c];
}
