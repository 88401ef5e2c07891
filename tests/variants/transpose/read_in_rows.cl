//: grid = ["cdiv(cols, 16)", "cdiv(rows, 4)"]
//: block = [16, 4]
// Straight, reading in rows.
__kernel void transpose(__global const float* restrict x, __global float* restrict y, int rows, int cols) {
    const int c = get_global_id(0), r = get_global_id(1);
    if (c < cols && r < rows)
        y[c * rows + r] = x[r * cols + c];
}
