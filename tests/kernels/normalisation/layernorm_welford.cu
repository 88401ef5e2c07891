// LayerNorm with Welford's running mean and variance, combined across the warp by Chan's formula through shuffles, and
// across warps through shared memory. References carry the state.

__device__ void welford_combine(float& mean, float& m2, float& count, float b_mean, float b_m2, float b_count) {
    if (b_count == 0.0f) return;
    const float total = count + b_count;
    const float delta = b_mean - mean;
    mean += delta * (b_count / total);
    m2 += b_m2 + delta * delta * (count * b_count / total);
    count = total;
}

template <int WARPS>
__global__ void layernorm_welford(const float* __restrict__ x, const float* __restrict__ gamma,
                                  const float* __restrict__ beta, float* __restrict__ y, float* __restrict__ means,
                                  int cols, float eps) {
    __shared__ float s_mean[WARPS], s_m2[WARPS], s_count[WARPS];
    const float* row = x + (size_t)blockIdx.x * cols;

    float mean = 0.0f, m2 = 0.0f, count = 0.0f;
    for (int c = threadIdx.x; c < cols; c += WARPS * 32) {
        const float v = row[c];
        count += 1.0f;
        const float delta = v - mean;
        mean += delta / count;
        m2 += delta * (v - mean);
    }

    for (int offset = 16; offset > 0; offset >>= 1) {
        const float other_mean = __shfl_xor_sync(0xffffffffu, mean, offset);
        const float other_m2 = __shfl_xor_sync(0xffffffffu, m2, offset);
        const float other_count = __shfl_xor_sync(0xffffffffu, count, offset);
        welford_combine(mean, m2, count, other_mean, other_m2, other_count);
    }

    const int warp = threadIdx.x >> 5;
    if ((threadIdx.x & 31) == 0) {
        s_mean[warp] = mean;
        s_m2[warp] = m2;
        s_count[warp] = count;
    }
    __syncthreads();
    mean = m2 = count = 0.0f;
    for (int w = 0; w < WARPS; ++w)
        welford_combine(mean, m2, count, s_mean[w], s_m2[w], s_count[w]);

    const float rstd = rsqrtf(m2 / count + eps);
    if (threadIdx.x == 0)
        means[blockIdx.x] = mean;
    for (int c = threadIdx.x; c < cols; c += WARPS * 32)
        y[(size_t)blockIdx.x * cols + c] = (row[c] - mean) * rstd * gamma[c] + beta[c];
}
