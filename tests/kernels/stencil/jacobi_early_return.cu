// A Jacobi sweep on a 1-D rod, several steps in shared memory. Threads beyond the rod return before the barriers, which
// CUDA tolerates; elsewhere every thread of a group has to arrive.

template <int BLOCK, int STEPS>
__global__ void jacobi_early_return(const float* u, float* out, float alpha, int n) {
    __shared__ float a[BLOCK];
    __shared__ float b[BLOCK];
    const int i = blockIdx.x * BLOCK + threadIdx.x;
    if (i >= n) return;

    const int t = threadIdx.x;
    const int last = min(BLOCK, n - (int)blockIdx.x * BLOCK) - 1;  // each block is a rod of its own
    a[t] = u[i];
    __syncthreads();

    for (int step = 0; step < STEPS; ++step) {
        const float left = a[t > 0 ? t - 1 : 0];
        const float right = a[t < last ? t + 1 : last];
        b[t] = a[t] + alpha * (left - 2.0f * a[t] + right);
        __syncthreads();
        a[t] = b[t];
        __syncthreads();
    }
    out[i] = a[t];
}
