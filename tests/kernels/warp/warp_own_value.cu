// Relies on what CUDA defines at the edge of a warp: shuffles up, down and xor past it give a lane its own value.
// Differences to the neighbours are zero there without any guard.

__global__ void warp_own_value(const int* __restrict__ x, int* __restrict__ left, int* __restrict__ right, int delta) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    const int v = x[i];
    left[i] = v - __shfl_up_sync(0xffffffffu, v, delta, 16);
    right[i] = __shfl_down_sync(0xffffffffu, v, delta) - v;
}
