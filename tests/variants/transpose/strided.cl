//: grid = ["3"]
//: block = [32]
// Three groups, whatever the size.
__kernel void transpose(__global const float* restrict x, __global float* restrict y, int rows, int cols) {
    for (int i = get_global_id(0); i < rows * cols; i += get_global_size(0)) {
        const int r = i / cols, c = i - r * cols;
        y[c * rows + r] = x[i];
    }
}
