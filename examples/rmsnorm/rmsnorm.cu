// RMSNorm: y[r, c] = x[r, c] / sqrt(mean_c(x[r, c]^2) + eps) * weight[c].
//
// One block per row. T is the type of the tensors in memory; the arithmetic is in float.

template <int BLOCK>
__device__ float block_sum(float v) {
    constexpr int WARPS = BLOCK / 32;
    __shared__ float partial[WARPS];

    const int lane = threadIdx.x & 31;
    const int warp = threadIdx.x >> 5;

#pragma unroll
    for (int delta = 16; delta > 0; delta /= 2) {
        v += __shfl_down_sync(0xffffffff, v, delta);
    }
    if (lane == 0) {
        partial[warp] = v;  // lane 0 alone has the sum of its warp
    }
    __syncthreads();

    // few enough warps that every thread adds their sums by itself, all in the same order
    float sum = 0.0f;
#pragma unroll
    for (int w = 0; w < WARPS; ++w) {
        sum += partial[w];
    }
    return sum;
}

template <typename T, int BLOCK>
__global__ void rmsnorm(const T* __restrict__ x,
                        const T* __restrict__ weight,
                        T* __restrict__ y,
                        int cols,
                        float eps) {
    const size_t row = blockIdx.x;
    const T* in = x + row * cols;
    T* out = y + row * cols;

    float squares = 0.0f;
    for (int c = threadIdx.x; c < cols; c += BLOCK) {
        const float v = static_cast<float>(in[c]);
        squares += v * v;
    }

    const float scale = rsqrtf(block_sum<BLOCK>(squares) / cols + eps);

    for (int c = threadIdx.x; c < cols; c += BLOCK) {
        const float v = static_cast<float>(in[c]);
        out[c] = static_cast<T>(v * scale * static_cast<float>(weight[c]));
    }
}
