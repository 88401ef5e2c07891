// Sums per class in shared memory with float atomics, added to the global ones at the end.

template <int CLASSES>
__global__ void shared_float_sum(const float* __restrict__ x, const unsigned char* __restrict__ label, float* sums, int n) {
    __shared__ float local[CLASSES];
    if (threadIdx.x < CLASSES)
        local[threadIdx.x] = 0.0f;
    __syncthreads();
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        atomicAdd(&local[label[i] % CLASSES], x[i]);
    __syncthreads();
    if (threadIdx.x < CLASSES)
        atomicAdd(&sums[threadIdx.x], local[threadIdx.x]);
}
