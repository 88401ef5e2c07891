//: grid = ["rows"]
//: block = [1]
// The sum in double.
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
__kernel void softmax(__global const float* restrict x, __global float* restrict y, int cols) {
    x += (size_t)get_group_id(0) * cols;
    y += (size_t)get_group_id(0) * cols;
    float peak = -FLT_MAX;
    for (int c = 0; c < cols; ++c)
        peak = fmax(peak, x[c]);
    double total = 0.0;
    for (int c = 0; c < cols; ++c)
        total += exp(x[c] - peak);
    for (int c = 0; c < cols; ++c)
        y[c] = (float)(exp(x[c] - peak) / total);
}
