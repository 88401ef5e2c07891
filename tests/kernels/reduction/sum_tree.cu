// Partial sums: each block adds its elements by a tree in shared memory and leaves one number.

#ifndef BLOCK
#define BLOCK 128
#endif

__global__ void sum_tree(const float* __restrict__ x, float* __restrict__ partial, int n) {
    __shared__ float s[BLOCK];

    const unsigned tid = threadIdx.x;
    const unsigned i = blockIdx.x * (BLOCK * 2) + tid;

    s[tid] = (i < n ? x[i] : 0.0f) + (i + BLOCK < n ? x[i + BLOCK] : 0.0f);
    __syncthreads();

    for (unsigned stride = BLOCK / 2; stride > 0; stride >>= 1) {
        if (tid < stride)
            s[tid] += s[tid + stride];
        __syncthreads();
    }

    if (tid == 0)
        partial[blockIdx.x] = s[0];
}
