#include <cuda_fp16.h>

// Fused residual and RMSNorm as in LLM inference: residual += x, y = rmsnorm(residual) * weight. half in memory.

extern __shared__ float row_cache[];

__global__ void add_rmsnorm_half(const __half* x, const __half* residual, const __half* weight, __half* sum_out, __half* y,
                                 int hidden, float eps) {
    __shared__ float warp_totals[32];
    __shared__ float scale;

    float squares = 0.0f;
    for (int i = threadIdx.x; i < hidden; i += blockDim.x) {
        const size_t at = (size_t)blockIdx.x * hidden + i;
        const __half z = __hadd(x[at], residual[at]);
        sum_out[at] = z;
        const float v = __half2float(z);
        row_cache[i] = v;
        squares += v * v;
    }
#pragma unroll
    for (int offset = 16; offset; offset /= 2)
        squares += __shfl_down_sync(0xffffffff, squares, offset);
    if (threadIdx.x % 32 == 0) warp_totals[threadIdx.x / 32] = squares;
    __syncthreads();
    if (threadIdx.x == 0) {
        float total = 0.0f;
        for (int w = 0; w < blockDim.x / 32; ++w) total += warp_totals[w];
        scale = rsqrtf(total / hidden + eps);
    }
    __syncthreads();
    for (int i = threadIdx.x; i < hidden; i += blockDim.x)
        y[(size_t)blockIdx.x * hidden + i] = __float2half(row_cache[i] * scale * __half2float(weight[i]));
}
