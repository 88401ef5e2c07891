// Jacobi sweeps within a block: two halves of shared memory that change roles after every sweep, by swapping pointers.

__global__ void ping_pong(const float* __restrict__ x, float* __restrict__ y, int sweeps) {
    __shared__ float buffers[2][66];
    const int t = threadIdx.x + 1;
    const int i = blockIdx.x * 64 + threadIdx.x;

    float* now = buffers[0];
    float* next = buffers[1];
    now[t] = x[i];
    if (threadIdx.x == 0)
        now[0] = now[65] = next[0] = next[65] = 0.0f;
    __syncthreads();

    for (int s = 0; s < sweeps; ++s) {
        next[t] = 0.5f * now[t] + 0.25f * (now[t - 1] + now[t + 1]);
        __syncthreads();
        float* swap = now;
        now = next;
        next = swap;
    }
    y[i] = now[t];
}
