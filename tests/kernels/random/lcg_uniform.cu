// A 64-bit linear congruential generator with leapfrog: thread i of n takes numbers i, i + n, i + 2n, ... The jump of n
// steps is a multiplication and an addition modulo 2^64 that are worked out once per thread.

typedef unsigned long long u64;

__global__ void lcg_uniform(float* __restrict__ out, int threads, int per_thread, u64 seed) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= threads)
        return;

    const u64 a = 6364136223846793005ULL, c = 1442695040888963407ULL;
    u64 state = seed;
    for (int k = 0; k <= i; ++k)
        state = state * a + c;

    u64 jump_a = 1, jump_c = 0;
    for (int k = 0; k < threads; ++k) {
        jump_a *= a;
        jump_c = jump_c * a + c;
    }
    for (int k = 0; k < per_thread; ++k) {
        out[k * threads + i] = (float)(state >> 40) * (1.0f / 16777216.0f);
        state = state * jump_a + jump_c;
    }
}
