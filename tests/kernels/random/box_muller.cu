// Normal numbers from two uniform ones (Box and Muller 1958), the uniform ones from a hash of the index.

__device__ unsigned int wang_hash(unsigned int seed) {
    seed = (seed ^ 61u) ^ (seed >> 16);
    seed *= 9u;
    seed = seed ^ (seed >> 4);
    seed *= 0x27d4eb2du;
    seed = seed ^ (seed >> 15);
    return seed;
}

// in (0, 1], a multiple of 2^-24
__device__ float uniform(unsigned int bits) {
    return ((bits >> 8) + 1) * 5.9604644775390625e-8f;
}

__global__ void box_muller(float2* __restrict__ out, int pairs, unsigned int seed) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < pairs) {
        const unsigned int first = wang_hash(seed + i);
        const float u1 = uniform(first);
        const float u2 = uniform(wang_hash(first));
        const float radius = sqrtf(-2.0f * logf(u1));
        const float angle = 6.28318530717958647692f * u2;
        float2 z;
        z.x = radius * cosf(angle);
        z.y = radius * sinf(angle);
        out[i] = z;
    }
}
