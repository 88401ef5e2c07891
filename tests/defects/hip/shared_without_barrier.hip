//! what = "neighbours read what nothing has made visible"
//! kind = "race"
//! sizes = { n = [128] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, y = { dtype = "f32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = [1], block = [128] }
__global__ void k(const float* x, float* y, int n) {
    __shared__ float s[128];
    const int t = threadIdx.x;
    s[t] = x[t];
#ifndef DEFECT
    __syncthreads();
#endif
    y[t] = s[127 - t];  // <- here
}
