//! what = "two arrays carved from dynamic shared memory overlap by one element"
//! kind = "race"
//! sizes = { n = [64] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = [1], block = [64], shared = "512" }
__global__ void k(const float* x, float* y, int n) {
    extern __shared__ float memory[];
    float* a = memory;
#ifdef DEFECT
    float* b = memory + 63;
#else
    float* b = memory + 64;
#endif
    const int t = threadIdx.x;
    a[t] = x[t];
    b[t] = 2.0f * x[t];  // <- here
    __syncthreads();
    y[t] = a[63 - t] + b[63 - t];
}
