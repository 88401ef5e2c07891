//! what = "rows and columns are swapped in the index"
//! kind = "out-of-bounds"
//! also = ["unwritten"]
//! sizes = { rows = [5], cols = [12] }
//! args = { x = { dtype = "f32", shape = ["rows", "cols"], role = "in" }, y = { dtype = "f32", shape = ["cols", "rows"], role = "out" }, rows = { dtype = "i32", value = "rows" }, cols = { dtype = "i32", value = "cols" } }
//! launch = { grid = [1], block = [64] }
__global__ void k(const float* x, float* y, int rows, int cols) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    const int r = i / cols, c = i % cols;
    if (r >= rows) return;
#ifdef DEFECT
    y[c * cols + r] = x[r * cols + c];  // <- here
#else
    y[c * rows + r] = x[r * cols + c];
#endif
}
