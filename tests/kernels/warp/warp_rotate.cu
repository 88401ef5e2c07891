// Rotates the values of each warp by `by` lanes. The lane to read from is taken modulo the warp by the hardware, so
// lane + by may be 32 or more.

__global__ void warp_rotate(const unsigned int* __restrict__ x, unsigned int* __restrict__ y, int by) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    const int lane = threadIdx.x % 32;
    y[i] = __shfl_sync(0xffffffffu, x[i], lane + by);
}
