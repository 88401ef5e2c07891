// Log-softmax of each row of a square score matrix under a causal mask; masked entries become -infinity.

#define WARPS 2

__global__ void log_softmax_causal(const float* __restrict__ scores, float* __restrict__ out, int T, float scale) {
    __shared__ float scratch[2][WARPS];
    const int row = blockIdx.x, warp = threadIdx.x / 32, lane = threadIdx.x % 32;

    float peak = -INFINITY;
    for (int c = threadIdx.x; c <= row; c += WARPS * 32)
        peak = fmaxf(peak, scale * scores[row * T + c]);
    for (int d = 16; d >= 1; d /= 2)
        peak = fmaxf(peak, __shfl_down_sync(~0u, peak, d));
    if (lane == 0) scratch[0][warp] = peak;
    __syncthreads();
    peak = fmaxf(scratch[0][0], scratch[0][1]);

    float sum = 0.f;
    for (int c = threadIdx.x; c <= row; c += WARPS * 32)
        sum += expf(scale * scores[row * T + c] - peak);
    for (int d = 16; d >= 1; d /= 2)
        sum += __shfl_down_sync(~0u, sum, d);
    if (lane == 0) scratch[1][warp] = sum;
    __syncthreads();
    const float log_total = logf(scratch[1][0] + scratch[1][1]);

    for (int c = threadIdx.x; c < T; c += WARPS * 32)
        out[row * T + c] = c > row ? -INFINITY : scale * scores[row * T + c] - peak - log_total;
}
