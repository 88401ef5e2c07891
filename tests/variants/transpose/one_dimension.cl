//: grid = ["cdiv(rows * cols, WG)"]
//: block = ["WG"]
//: WG = [33, 128]
// One index for both.
__kernel void transpose(__global const float* restrict x, __global float* restrict y, int rows, int cols) {
    const int i = get_global_id(0);
    if (i < rows * cols)
        y[i] = x[(i % rows) * cols + i / rows];
}
