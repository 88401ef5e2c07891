#include <cuda_bf16.h>

// bfloat16 in memory, float in registers: y = x * scale[c] + bias[c] for a (rows, cols) tensor.

__global__ void bf16_scale_bias(const __nv_bfloat16* __restrict__ x, const float* __restrict__ scale,
                                const float* __restrict__ bias, __nv_bfloat16* __restrict__ y, int rows, int cols) {
    const int c = blockIdx.x * blockDim.x + threadIdx.x;
    const int r = blockIdx.y * blockDim.y + threadIdx.y;
    if (r < rows && c < cols) {
        const float v = __bfloat162float(x[r * cols + c]);
        y[r * cols + c] = __float2bfloat16(fmaf(v, __ldg(&scale[c]), __ldg(&bias[c])));
    }
}
