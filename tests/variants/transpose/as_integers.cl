//: grid = ["cdiv(rows * cols, 64)"]
//: block = [64]
// Moves bits, not numbers.
__kernel void transpose(__global const float* restrict x, __global float* restrict y, int rows, int cols) {
    const int i = get_global_id(0);
    if (i < rows * cols)
        ((__global uint*)y)[i] = ((__global const uint*)x)[(i % rows) * cols + i / rows];
}
