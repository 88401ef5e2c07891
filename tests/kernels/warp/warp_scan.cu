// Inclusive prefix sums within each warp (Kogge-Stone). __shfl_up_sync gives a lane its own value back where there is
// no lane to read from, which the guard throws away.

__device__ __forceinline__ float warp_inclusive_sum(float v) {
    const int lane = threadIdx.x & 31;
#pragma unroll
    for (int delta = 1; delta < 32; delta <<= 1) {
        const float below = __shfl_up_sync(0xffffffffu, v, delta);
        if (lane >= delta)
            v += below;
    }
    return v;
}

__global__ void warp_scan(const float* __restrict__ x, float* __restrict__ y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    const float v = i < n ? x[i] : 0.0f;
    const float sum = warp_inclusive_sum(v);
    if (i < n)
        y[i] = sum;
}
