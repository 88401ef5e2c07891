// One device function, called with global and with shared pointers: every call needs its own address spaces.

__device__ float sum_of(const float* values, int count, int step) {
    float sum = 0.0f;
    for (int k = 0; k < count; ++k)
        sum += values[k * step];
    return sum;
}

__device__ void store(float* where, float value) { *where = value; }

__global__ void both_spaces(const float* __restrict__ x, float* __restrict__ rows, float* __restrict__ cols, int n) {
    __shared__ float tile[16 * 17];
    const int t = threadIdx.x;

    for (int r = 0; r < 16; ++r)
        store(&tile[r * 17 + t], x[blockIdx.x * 256 + r * 16 + t] * n);
    __syncthreads();

    store(rows + blockIdx.x * 16 + t, sum_of(x + blockIdx.x * 256 + t * 16, 16, 1));
    store(cols + blockIdx.x * 16 + t, sum_of(tile + t, 16, 17));
}
