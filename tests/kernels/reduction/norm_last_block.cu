// Sum of squares over the whole array in one launch: the block that finishes last adds what all blocks left behind. A
// fence makes the partial sums visible before the counter says that they are there.

#define THREADS 128

__device__ float block_sum(float v, float* s) {
    s[threadIdx.x] = v;
    __syncthreads();
    for (int k = THREADS / 2; k > 0; k /= 2) {
        if (threadIdx.x < k) s[threadIdx.x] += s[threadIdx.x + k];
        __syncthreads();
    }
    return s[0];
}

__global__ void norm_last_block(const float* x, volatile float* partial, unsigned int* finished, float* result, int n) {
    __shared__ float s[THREADS];
    __shared__ bool is_last;

    float v = 0.0f;
    for (int i = blockIdx.x * THREADS + threadIdx.x; i < n; i += gridDim.x * THREADS)
        v += x[i] * x[i];
    const float sum = block_sum(v, s);

    if (threadIdx.x == 0) {
        partial[blockIdx.x] = sum;
        __threadfence();
        const unsigned int ticket = atomicInc(finished, gridDim.x);
        is_last = ticket == gridDim.x - 1;
    }
    __syncthreads();

    if (is_last) {
        float w = 0.0f;
        for (int i = threadIdx.x; i < gridDim.x; i += THREADS)
            w += partial[i];
        __syncthreads();
        const float total = block_sum(w, s);
        if (threadIdx.x == 0) {
            result[0] = sqrtf(total);
            *finished = 0;  // ready for the next launch
        }
    }
}
