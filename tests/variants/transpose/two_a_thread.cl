//: grid = ["cdiv(cols, 16)", "cdiv(rows, 32)"]
//: block = [16, 16]
// Two elements a thread.
__kernel void transpose(__global const float* restrict x, __global float* restrict y, int rows, int cols) {
    const int c = get_global_id(0);
    for (int j = 0; j < 2; ++j) {
        const int r = get_group_id(1) * 32 + j * 16 + get_local_id(1);
        if (c < cols && r < rows)
            y[c * rows + r] = x[r * cols + c];
    }
}
