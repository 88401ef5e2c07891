//: grid = ["rows"]
//: block = [1]
__kernel void transpose(__global const float* restrict x, __global float* restrict y, int rows, int cols) {
    const int r = get_group_id(0);
    for (int c = 0; c < cols; ++c)
        y[c * rows + r] = x[r * cols + c];
}
