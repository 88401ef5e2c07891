//: grid = ["cdiv(rows, 32)", "cdiv(cols, 2)"]
//: block = [32, 2]
// Straight, writing in rows.
__kernel void transpose(__global const float* restrict x, __global float* restrict y, int rows, int cols) {
    const int r = get_global_id(0), c = get_global_id(1);
    if (c < cols && r < rows)
        y[c * rows + r] = x[r * cols + c];
}
