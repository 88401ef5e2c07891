// A random walk per thread with Marsaglia's xorshift32; the state goes back to memory for the next launch.

__device__ unsigned int xorshift32(unsigned int* state) {
    unsigned int x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

__global__ void xorshift_walk(const unsigned int* __restrict__ seeds, unsigned int* __restrict__ states,
                              int* __restrict__ position, int walkers, int steps) {
    const int w = blockIdx.x * blockDim.x + threadIdx.x;
    if (w >= walkers)
        return;

    unsigned int state = seeds[w];
    int where = 0;
    for (int s = 0; s < steps; ++s)
        where += (xorshift32(&state) & 1u) ? 1 : -1;
    position[w] = where;
    states[w] = state;
}
