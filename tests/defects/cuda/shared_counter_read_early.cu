//! what = "a counter is read while other threads still add to it"
//! kind = "race"
//! sizes = { n = [100, 64] }
//! args = { x = { dtype = "i32", shape = ["n"], role = "in" }, y = { dtype = "i32", shape = ["n"], role = "out" }, n = { dtype = "i32", value = "n" } }
//! launch = { grid = ["cdiv(n, 64)"], block = [64] }
__global__ void k(const int* x, int* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    __shared__ int count;
    if (threadIdx.x == 0) count = 0;
    __syncthreads();
    if (i < n && x[i] > 100) atomicAdd(&count, 1);
#ifndef DEFECT
    __syncthreads();
#endif
    if (i < n) y[i] = count;  // <- here
}
