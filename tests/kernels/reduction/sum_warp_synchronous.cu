// The reduction of the old samples: below 32 threads no barrier at all, the warp was taken to run in lockstep. Since
// Volta that is a race; a port has to put the missing barriers there, or to refuse.

__global__ void sum_warp_synchronous(const float* x, float* partial, int n) {
    __shared__ volatile float s[128];
    const int tid = threadIdx.x;
    const int i = blockIdx.x * 128 + tid;

    s[tid] = i < n ? x[i] : 0.0f;
    __syncthreads();
    if (tid < 64) s[tid] += s[tid + 64];
    __syncthreads();

    if (tid < 32) {
        s[tid] += s[tid + 32];
        if (tid < 16) s[tid] += s[tid + 16];
        if (tid < 8) s[tid] += s[tid + 8];
        if (tid < 4) s[tid] += s[tid + 4];
        if (tid < 2) s[tid] += s[tid + 2];
        if (tid < 1) s[tid] += s[tid + 1];
    }
    if (tid == 0) partial[blockIdx.x] = s[0];
}
