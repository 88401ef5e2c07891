//! what = "the fence stands behind the atomic that it should come before"
//! kind = "race"
//! sizes = { n = [256] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, partial = { dtype = "f32", shape = ["n"], role = "out" }, done = { dtype = "u32", shape = [1], role = "inout", init = 0 }, y = { dtype = "f32", shape = [64], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, volatile float* partial, unsigned int* done, float* y, int n) {
    const int t = threadIdx.x;
    partial[blockIdx.x * 64 + t] = x[blockIdx.x * 64 + t];
    __shared__ bool last;
#ifndef DEFECT
    __threadfence();
#endif
    __syncthreads();
    if (t == 0) last = atomicAdd(done, 1u) == gridDim.x - 1;
#ifdef DEFECT
    __threadfence();
#endif
    __syncthreads();
    if (last) {
        float sum = 0.0f;
        for (int j = t; j < n; j += 64) sum += partial[j];  // <- here
        y[t] = sum;
    }
}
