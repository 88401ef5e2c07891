// 64-bit values through shuffles: the exclusive prefix sum of large integers in each warp.

__global__ void warp_long(const long long* __restrict__ x, long long* __restrict__ y, long long* __restrict__ totals) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    const int lane = threadIdx.x & 31;
    const long long own = x[i];

    long long sum = own;
    for (int delta = 1; delta < 32; delta *= 2) {
        const long long below = __shfl_up_sync(0xffffffffu, sum, delta);
        sum += lane < delta ? 0 : below;
    }
    y[i] = sum - own;
    if (lane == 31)
        totals[i / 32] = sum;
}
