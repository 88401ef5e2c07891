//! what = "the padding column of a tile is summed too"
//! kind = "uninitialised"
//! sizes = { n = [64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = [1], block = [8, 8] }
__global__ void k(const float* x, float* y, int n) {
    __shared__ float tile[8][9];
    const int r = threadIdx.y, c = threadIdx.x;
    tile[r][c] = x[r * 8 + c];
    __syncthreads();
    float sum = 0.0f;
#ifdef DEFECT
    for (int j = 0; j < 9; ++j)
#else
    for (int j = 0; j < 8; ++j)
#endif
        sum += tile[r][j];  // <- here
    y[r * 8 + c] = sum;
}
