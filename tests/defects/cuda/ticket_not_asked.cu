//! what = "partial sums of other blocks are read behind the counter, whatever it said"
//! kind = "race"
//! sizes = { n = [256] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, partial = { dtype = "f32", shape = ["n"], role = "out" }, done = { dtype = "u32", shape = [1], role = "inout", init = 0 }, y = { dtype = "f32", shape = [64], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, volatile float* partial, unsigned int* done, float* y, int n) {
    const int t = threadIdx.x;
    partial[blockIdx.x * 64 + t] = x[blockIdx.x * 64 + t];
    __shared__ unsigned int ticket;
    __threadfence();
    __syncthreads();
    if (t == 0) ticket = atomicAdd(done, 1u);
    __syncthreads();
#ifndef DEFECT
    if (ticket != gridDim.x - 1) return;
#else
    if (blockIdx.x != gridDim.x - 1) return;
#endif
    float sum = 0.0f;
    for (int j = t; j < n; j += 64) sum += partial[j];  // <- here
    y[t] = sum;
}
