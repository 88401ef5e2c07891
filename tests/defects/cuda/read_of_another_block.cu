//! what = "a block reads what another one writes in the same launch"
//! kind = "race"
//! sizes = { n = [128] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, z = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, float* y, float* z, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    y[i] = x[i];
    __syncthreads();
#ifdef DEFECT
    const float v = y[(i + 64) % n];  // <- here
#else
    const float v = x[(i + 64) % n];
#endif
    z[i] = v;
}
