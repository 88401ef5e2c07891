// Monte Carlo estimate of pi: points in the quarter circle, counted per block with __syncthreads_count.

__device__ unsigned int pcg_hash(unsigned int input) {
    const unsigned int state = input * 747796405u + 2891336453u;
    const unsigned int word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
    return (word >> 22u) ^ word;
}

__global__ void pi_estimate(unsigned int* hits, unsigned int samples, unsigned int seed) {
    const unsigned int i = blockIdx.x * blockDim.x + threadIdx.x;
    const unsigned int r = pcg_hash(seed ^ i);
    const unsigned int x = r & 0xffffu, y = r >> 16;
    const int inside = i < samples && x * x + (unsigned long long)y * y < 0x100000000ULL;
    const int count = __syncthreads_count(inside);
    if (threadIdx.x == 0)
        atomicAdd(hits, count);
}
