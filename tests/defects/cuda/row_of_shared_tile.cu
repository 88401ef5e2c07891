//! what = "a subscript behind its row, but inside the tile"
//! kind = "out-of-bounds"
//! sizes = { n = [64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = [56], role = "inout" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = [1], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    __shared__ float tile[8][8];
    const int r = threadIdx.x / 8, c = threadIdx.x % 8;
    tile[r][c] = i < n ? x[i] : 0.0f;
    __syncthreads();
    if (r == 7) return;
#ifdef DEFECT
    const float next = tile[r][c + 1];  // <- here
#else
    const float next = c < 7 ? tile[r][c + 1] : 0.0f;
#endif
    y[r * 8 + c] = next;
}
