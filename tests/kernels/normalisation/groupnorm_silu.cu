// Group normalisation followed by SiLU. Many arguments, a block per (image, group), sums of values and squares together
// in one float2 through the warps.

__device__ __forceinline__ float2 operator+(float2 a, float2 b) { return make_float2(a.x + b.x, a.y + b.y); }

__device__ float2 warp_sum(float2 v) {
#pragma unroll
    for (int m = 16; m > 0; m >>= 1)
        v = v + make_float2(__shfl_xor_sync(0xffffffffu, v.x, m), __shfl_xor_sync(0xffffffffu, v.y, m));
    return v;
}

__global__ void groupnorm_silu(const float* __restrict__ x, const float* __restrict__ scale, const float* __restrict__ shift,
                               float* __restrict__ y, int channels, int pixels, int groups, float eps) {
    __shared__ float2 partial[32];

    const int per_group = channels / groups;
    const int count = per_group * pixels;
    const size_t base = ((size_t)blockIdx.y * channels + blockIdx.x * per_group) * pixels;

    float2 sums = make_float2(0.f, 0.f);
    for (int i = threadIdx.x; i < count; i += blockDim.x) {
        const float v = x[base + i];
        sums.x += v;
        sums.y += v * v;
    }
    sums = warp_sum(sums);
    if (threadIdx.x % 32 == 0)
        partial[threadIdx.x / 32] = sums;
    __syncthreads();
    sums = threadIdx.x % 32 < blockDim.x / 32 ? partial[threadIdx.x % 32] : make_float2(0.f, 0.f);
    sums = warp_sum(sums);

    const float mean = sums.x / count;
    const float rstd = rsqrtf(fmaxf(sums.y / count - mean * mean, 0.f) + eps);
    for (int i = threadIdx.x; i < count; i += blockDim.x) {
        const int c = blockIdx.x * per_group + i / pixels;
        const float v = (x[base + i] - mean) * rstd * scale[c] + shift[c];
        y[base + i] = v / (1.0f + expf(-v));
    }
}
