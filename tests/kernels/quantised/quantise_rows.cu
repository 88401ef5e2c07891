// Quantises rows to int8: q = rint(127 x / max|x|), ties to even, clamped; the scale of each row beside it.

__device__ __forceinline__ float warp_absmax(float v) {
    for (int mask = 16; mask > 0; mask >>= 1)
        v = fmaxf(v, __shfl_xor_sync(0xffffffffu, v, mask));
    return v;
}

__global__ void quantise_rows(const float* __restrict__ x, signed char* __restrict__ q, float* __restrict__ scales,
                              int cols) {
    const float* row = x + blockIdx.x * cols;
    float amax = 0.0f;
    for (int c = threadIdx.x; c < cols; c += 32)
        amax = fmaxf(amax, fabsf(row[c]));
    amax = warp_absmax(amax);

    const float scale = amax / 127.0f;
    const float inverse = amax > 0.0f ? 127.0f / amax : 0.0f;
    for (int c = threadIdx.x; c < cols; c += 32) {
        const int v = (int)rintf(row[c] * inverse);
        q[blockIdx.x * cols + c] = (signed char)max(-127, min(127, v));
    }
    if (threadIdx.x == 0)
        scales[blockIdx.x] = scale;
}
