//! what = "the block is missing in the index of the output"
//! kind = "race"
//! also = ["unwritten"]
//! sizes = { n = [128] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
#ifdef DEFECT
    y[threadIdx.x] = x[i];  // <- here
#else
    y[i] = x[i];
#endif
}
