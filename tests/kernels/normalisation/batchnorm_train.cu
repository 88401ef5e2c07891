// Batch normalisation in training, NCHW: a block per channel takes mean and variance over batch and pixels, writes the
// normalised values and updates the running statistics. running_var may be null.

#define BLOCK 128

__device__ float block_sum(float v) {
    __shared__ float s[BLOCK];
    __syncthreads();  // the array may still be read from an earlier call
    s[threadIdx.x] = v;
    for (int k = BLOCK / 2; k > 0; k >>= 1) {
        __syncthreads();
        if (threadIdx.x < k) s[threadIdx.x] += s[threadIdx.x + k];
    }
    __syncthreads();
    return s[0];
}

__global__ void batchnorm_train(const float* x, float* y, float* running_mean, float* running_var, int batch, int channels,
                                int pixels, float momentum, float eps) {
    const int c = blockIdx.x;
    const float count = (float)(batch * pixels);

    float sum = 0.0f;
    for (int b = 0; b < batch; ++b)
        for (int p = threadIdx.x; p < pixels; p += blockDim.x)
            sum += x[(b * channels + c) * pixels + p];
    const float mean = block_sum(sum) / count;

    float squares = 0.0f;
    for (int b = 0; b < batch; ++b)
        for (int p = threadIdx.x; p < pixels; p += blockDim.x) {
            const float d = x[(b * channels + c) * pixels + p] - mean;
            squares += d * d;
        }
    const float var = block_sum(squares) / count;
    const float inverse = 1.0f / sqrtf(var + eps);

    for (int b = 0; b < batch; ++b)
        for (int p = threadIdx.x; p < pixels; p += blockDim.x)
            y[(b * channels + c) * pixels + p] = (x[(b * channels + c) * pixels + p] - mean) * inverse;
    if (threadIdx.x == 0) {
        running_mean[c] = (1.0f - momentum) * running_mean[c] + momentum * mean;
        if (running_var != nullptr)
            running_var[c] = (1.0f - momentum) * running_var[c] + momentum * var;
    }
}
