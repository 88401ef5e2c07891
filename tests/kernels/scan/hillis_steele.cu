// Inclusive scan of each block's part, double-buffered in shared memory (Hillis and Steele): no barrier but one a step.

template <typename T, int BLOCK>
__global__ void hillis_steele(const T* __restrict__ x, T* __restrict__ y, int n) {
    __shared__ T buffer[2][BLOCK];

    const int tid = threadIdx.x;
    const int i = blockIdx.x * BLOCK + tid;
    int out = 0, in = 1;

    buffer[out][tid] = i < n ? x[i] : T(0);
    __syncthreads();

    for (int offset = 1; offset < BLOCK; offset *= 2) {
        out = 1 - out;
        in = 1 - out;
        buffer[out][tid] = buffer[in][tid] + (tid >= offset ? buffer[in][tid - offset] : T(0));
        __syncthreads();
    }

    if (i < n) y[i] = buffer[out][tid];
}
