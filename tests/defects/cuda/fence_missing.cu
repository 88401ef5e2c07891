//! what = "the last block reads partial sums that no fence published"
//! kind = "race"
//! sizes = { n = [128] }
//! args = { x = { dtype = "f32", shape = ["n"], role = "in" }, partial = { dtype = "f32", shape = ["n"], role = "out" }, done = { dtype = "u32", shape = [1], role = "inout", init = 0 }, y = { dtype = "f32", shape = [64], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const float* x, volatile float* partial, unsigned int* done, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    __shared__ bool last;
    partial[i] = x[i];
    __syncthreads();
    if (threadIdx.x == 0) {
#ifndef DEFECT
        __threadfence();
#endif
        last = atomicAdd(done, 1u) == gridDim.x - 1;
    }
    __syncthreads();
    if (last) {
        float sum = 0.0f;
        for (int j = threadIdx.x; j < n; j += 64) sum += partial[j];  // <- here
        y[threadIdx.x] = sum;
        if (threadIdx.x == 0) *done = 0;  // ready for the next launch
    }
}
