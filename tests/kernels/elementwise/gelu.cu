// GELU, both forms: by the error function, and by tanh as BERT has it.

#define SQRT_2_OVER_PI 0.7978845608028654f

template <bool EXACT>
__device__ __forceinline__ float activate(float x) {
    if constexpr (EXACT) {
        return 0.5f * x * (1.0f + erff(x * 0.70710678f));
    } else {
        const float inner = SQRT_2_OVER_PI * (x + 0.044715f * x * x * x);
        return 0.5f * x * (1.0f + tanhf(inner));
    }
}

template <bool EXACT>
__global__ void gelu(const float* __restrict__ x, float* __restrict__ y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    y[i] = activate<EXACT>(x[i]);
}
