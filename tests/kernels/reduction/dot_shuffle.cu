// Dot product in two levels: shuffles within each warp, one float per warp in dynamic shared memory, shuffles again.
// The sum of each block goes to the result by a float atomic.

__inline__ __device__ float warpReduceSum(float val) {
    for (int offset = warpSize / 2; offset > 0; offset /= 2)
        val += __shfl_down_sync(0xffffffff, val, offset);
    return val;
}

__global__ void dot_shuffle(const float* x, const float* y, float* result, int n) {
    extern __shared__ float warp_sums[];

    float sum = 0.0f;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += blockDim.x * gridDim.x)
        sum += x[i] * y[i];

    int lane = threadIdx.x % warpSize;
    int wid = threadIdx.x / warpSize;

    sum = warpReduceSum(sum);
    if (lane == 0) warp_sums[wid] = sum;
    __syncthreads();

    sum = (threadIdx.x < blockDim.x / warpSize) ? warp_sums[lane] : 0;
    if (wid == 0) sum = warpReduceSum(sum);
    if (threadIdx.x == 0) atomicAdd(result, sum);
}
