//: grid = ["cdiv(cols, TS)", "cdiv(rows, TS)"]
//: block = ["TS", "TS"]
//: TS = [8, 16]
// Tiles of another size, with no padding.
__kernel void transpose(__global const float* restrict x, __global float* restrict y, int rows, int cols) {
    __local float tile[TS][TS];
    const int tx = get_local_id(0), ty = get_local_id(1);
    const int c0 = get_group_id(0) * TS, r0 = get_group_id(1) * TS;
    if (c0 + tx < cols && r0 + ty < rows)
        tile[ty][tx] = x[(r0 + ty) * cols + c0 + tx];
    barrier(CLK_LOCAL_MEM_FENCE);
    if (r0 + tx < rows && c0 + ty < cols)
        y[(c0 + ty) * rows + r0 + tx] = tile[tx][ty];
}
