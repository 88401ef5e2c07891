// Attention of one query per head over a cache of keys and values (a decoding step). A block per head: scores into
// dynamic shared memory, softmax in place, then each thread sums one dimension of the output.

__global__ void decode_attention(const float* __restrict__ q, const float* __restrict__ k_cache,
                                 const float* __restrict__ v_cache, float* __restrict__ out, int tokens, int head_dim) {
    extern __shared__ float scores[];
    __shared__ float reduce[2];

    const int head = blockIdx.x;
    const float scale = 1.0f / sqrtf((float)head_dim);
    const float* query = q + head * head_dim;

    for (int t = threadIdx.x; t < tokens; t += blockDim.x) {
        const float* key = k_cache + (t * gridDim.x + head) * head_dim;
        float dot = 0.0f;
        for (int d = 0; d < head_dim; ++d)
            dot += query[d] * key[d];
        scores[t] = dot * scale;
    }
    __syncthreads();

    if (threadIdx.x < 32) {
        float peak = -INFINITY;
        for (int t = threadIdx.x; t < tokens; t += 32) peak = fmaxf(peak, scores[t]);
        for (int m = 16; m; m >>= 1) peak = fmaxf(peak, __shfl_xor_sync(0xffffffffu, peak, m));
        float sum = 0.0f;
        for (int t = threadIdx.x; t < tokens; t += 32) sum += expf(scores[t] - peak);
        for (int m = 16; m; m >>= 1) sum += __shfl_xor_sync(0xffffffffu, sum, m);
        if (threadIdx.x == 0) {
            reduce[0] = peak;
            reduce[1] = sum;
        }
    }
    __syncthreads();

    for (int d = threadIdx.x; d < head_dim; d += blockDim.x) {
        float acc = 0.0f;
        for (int t = 0; t < tokens; ++t)
            acc += expf(scores[t] - reduce[0]) * v_cache[(t * gridDim.x + head) * head_dim + d];
        out[head * head_dim + d] = acc / reduce[1];
    }
}
