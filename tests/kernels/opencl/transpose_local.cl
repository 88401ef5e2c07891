// Transpose through a padded local tile; the work-item's place comes from get_global_id, the tile's from get_group_id.

__kernel void transpose_local(__global const float* in, __global float* out, int rows, int cols) {
    __local float tile[16][17];
    const int lx = get_local_id(0), ly = get_local_id(1);
    int c = get_global_id(0), r = get_global_id(1);
    if (r < rows && c < cols)
        tile[ly][lx] = in[r * cols + c];
    barrier(CLK_LOCAL_MEM_FENCE);
    c = get_group_id(1) * get_local_size(1) + lx;
    r = get_group_id(0) * get_local_size(0) + ly;
    if (r < cols && c < rows)
        out[r * rows + c] = tile[lx][ly];
}
