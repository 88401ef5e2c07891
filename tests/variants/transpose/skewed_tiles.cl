//: grid = ["cdiv(rows, 16)", "cdiv(cols, 16)"]
//: block = [16, 16]
// The tile is skewed, not padded; groups walk along the columns first.
__kernel void transpose(__global const float* restrict x, __global float* restrict y, int rows, int cols) {
    __local float tile[16 * 16];
    const int tx = get_local_id(0), ty = get_local_id(1);
    const int c0 = get_group_id(1) * 16, r0 = get_group_id(0) * 16;
    if (c0 + tx < cols && r0 + ty < rows)
        tile[ty * 16 + (tx + ty) % 16] = x[(r0 + ty) * cols + c0 + tx];
    barrier(CLK_LOCAL_MEM_FENCE);
    if (r0 + tx < rows && c0 + ty < cols)
        y[(c0 + ty) * rows + r0 + tx] = tile[tx * 16 + (ty + tx) % 16];
}
