// Row softmax, numerically safe: y[r, c] = exp(x[r, c] - max_r) / sum_c exp(x[r, c] - max_r).
//
// One block per row, three passes over the row: maximum, sum, write. Each reduction goes through the registers of a
// warp first and through shared memory, one float per warp, second.

#define WARP_SIZE 32

__device__ __forceinline__ float warp_max(float v) {
#pragma unroll
    for (int offset = WARP_SIZE / 2; offset > 0; offset >>= 1)
        v = fmaxf(v, __shfl_xor_sync(0xffffffffu, v, offset));
    return v;
}

__device__ __forceinline__ float warp_sum(float v) {
#pragma unroll
    for (int offset = WARP_SIZE / 2; offset > 0; offset >>= 1)
        v += __shfl_xor_sync(0xffffffffu, v, offset);
    return v;
}

// The maximum over the block, in every thread. `scratch` holds one float per warp.
template <int BLOCK>
__device__ float block_max(float v, float* scratch) {
    const int lane = threadIdx.x % WARP_SIZE;
    const int warp = threadIdx.x / WARP_SIZE;

    v = warp_max(v);
    if (lane == 0) scratch[warp] = v;
    __syncthreads();
    v = lane < BLOCK / WARP_SIZE ? scratch[lane] : -3.402823466e+38f;
    __syncthreads();  // scratch may be written again from here on
    return warp_max(v);
}

// The sum over the block, in every thread.
template <int BLOCK>
__device__ float block_sum(float v, float* scratch) {
    const int lane = threadIdx.x % WARP_SIZE;
    const int warp = threadIdx.x / WARP_SIZE;

    v = warp_sum(v);
    if (lane == 0) scratch[warp] = v;
    __syncthreads();
    v = lane < BLOCK / WARP_SIZE ? scratch[lane] : 0.0f;
    __syncthreads();  // scratch may be written again from here on
    return warp_sum(v);
}

template <int BLOCK>
__global__ void __launch_bounds__(BLOCK) softmax(const float* __restrict__ x, float* __restrict__ y, int cols) {
    __shared__ float scratch[BLOCK / WARP_SIZE];

    const int tid = threadIdx.x;
    const float* row_x = x + static_cast<size_t>(blockIdx.x) * cols;
    float* row_y = y + static_cast<size_t>(blockIdx.x) * cols;

    float peak = -3.402823466e+38f;  // -FLT_MAX
    float total = 0.0f;

    if (cols % 4 == 0) {
        // every row starts on 16 bytes: read and write four columns at a time
        const float4* row_x4 = reinterpret_cast<const float4*>(row_x);
        float4* row_y4 = reinterpret_cast<float4*>(row_y);
        const int cols4 = cols / 4;

        for (int i = tid; i < cols4; i += BLOCK) {
            const float4 v = row_x4[i];
            peak = fmaxf(peak, fmaxf(fmaxf(v.x, v.y), fmaxf(v.z, v.w)));
        }
        peak = block_max<BLOCK>(peak, scratch);

        for (int i = tid; i < cols4; i += BLOCK) {
            const float4 v = row_x4[i];
            total += expf(v.x - peak) + expf(v.y - peak) + expf(v.z - peak) + expf(v.w - peak);
        }
        const float scale = 1.0f / block_sum<BLOCK>(total, scratch);

        for (int i = tid; i < cols4; i += BLOCK) {
            float4 v = row_x4[i];
            v.x = expf(v.x - peak) * scale;
            v.y = expf(v.y - peak) * scale;
            v.z = expf(v.z - peak) * scale;
            v.w = expf(v.w - peak) * scale;
            row_y4[i] = v;
        }
    } else {
        for (int i = tid; i < cols; i += BLOCK)
            peak = fmaxf(peak, row_x[i]);
        peak = block_max<BLOCK>(peak, scratch);

        for (int i = tid; i < cols; i += BLOCK)
            total += expf(row_x[i] - peak);
        const float scale = 1.0f / block_sum<BLOCK>(total, scratch);

        for (int i = tid; i < cols; i += BLOCK)
            row_y[i] = expf(row_x[i] - peak) * scale;
    }
}
