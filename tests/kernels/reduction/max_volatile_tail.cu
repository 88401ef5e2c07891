// Maximum of each row, with the unrolled last warp of the classic reduction: threads of a warp talk through volatile
// shared memory, and a __syncwarp() stands between the steps.

#define THREADS 64

__device__ void warp_max(volatile float* s, int t) {
    float v = s[t];
    v = fmaxf(v, s[t + 16]); __syncwarp();
    s[t] = v;                __syncwarp();
    v = fmaxf(v, s[t + 8]);  __syncwarp();
    s[t] = v;                __syncwarp();
    v = fmaxf(v, s[t + 4]);  __syncwarp();
    s[t] = v;                __syncwarp();
    v = fmaxf(v, s[t + 2]);  __syncwarp();
    s[t] = v;                __syncwarp();
    v = fmaxf(v, s[t + 1]);  __syncwarp();
    s[t] = v;                __syncwarp();
}

__global__ void max_volatile_tail(const float* x, float* peaks, int cols) {
    __shared__ float s[THREADS];
    const int t = threadIdx.x;
    const float* row = x + (size_t)blockIdx.x * cols;

    float v = -INFINITY;
    for (int c = t; c < cols; c += THREADS)
        v = fmaxf(v, row[c]);
    s[t] = v;
    __syncthreads();

    if (t < 32) {
        s[t] = fmaxf(s[t], s[t + 32]);
        __syncwarp();
        warp_max(s, t);
    }
    if (t == 0)
        peaks[blockIdx.x] = s[0];
}
