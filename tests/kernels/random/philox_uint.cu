// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): four words per counter, no state.

#define PHILOX_M0 0xD2511F53u
#define PHILOX_M1 0xCD9E8D57u
#define PHILOX_W0 0x9E3779B9u
#define PHILOX_W1 0xBB67AE85u

__device__ uint4 philox_round(uint4 c, uint2 key) {
    const unsigned int hi0 = __umulhi(PHILOX_M0, c.x), lo0 = PHILOX_M0 * c.x;
    const unsigned int hi1 = __umulhi(PHILOX_M1, c.z), lo1 = PHILOX_M1 * c.z;
    return make_uint4(hi1 ^ c.y ^ key.x, lo1, hi0 ^ c.w ^ key.y, lo0);
}

__device__ uint4 philox4x32_10(uint4 counter, uint2 key) {
#pragma unroll
    for (int i = 0; i < 10; ++i) {
        counter = philox_round(counter, key);
        key.x += PHILOX_W0;
        key.y += PHILOX_W1;
    }
    return counter;
}

__global__ void philox_uint(uint4* __restrict__ out, unsigned int n, unsigned long long seed) {
    const unsigned int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n)
        return;
    const uint2 key = make_uint2((unsigned int)seed, (unsigned int)(seed >> 32));
    out[i] = philox4x32_10(make_uint4(i, 0u, 0u, 0u), key);
}
