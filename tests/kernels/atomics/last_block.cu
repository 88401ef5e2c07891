// Sum in one launch: every block writes its part, and the block that finishes last adds the parts up. The fence makes
// the parts visible before the counter tells of them.

#define BLOCK 64

__global__ void last_block(const int* __restrict__ x, volatile int* parts, unsigned int* done, int* sum, int n) {
    __shared__ int s[BLOCK];
    __shared__ bool is_last;
    const int tid = threadIdx.x;
    const int i = blockIdx.x * BLOCK + tid;

    s[tid] = i < n ? x[i] : 0;
    __syncthreads();
    for (int half = BLOCK / 2; half > 0; half >>= 1) {
        if (tid < half)
            s[tid] += s[tid + half];
        __syncthreads();
    }
    if (tid == 0) {
        parts[blockIdx.x] = s[0];
        __threadfence();
        is_last = atomicAdd(done, 1u) == gridDim.x - 1;
    }
    __syncthreads();

    if (is_last && tid == 0) {
        int total = 0;
        for (int b = 0; b < (int)gridDim.x; ++b)
            total += parts[b];
        *sum = total;
    }
}
