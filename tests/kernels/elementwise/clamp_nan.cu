// Clamp as CUDA defines fminf and fmaxf: of a NaN and a number the number; so NaN becomes lo. The mask keeps the NaNs.

__global__ void clamp_nan(const float* x, float* y, unsigned char* mask, int n, float lo, float hi) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        float v = x[i];
        y[i] = fminf(fmaxf(v, lo), hi);
        mask[i] = (isnan(v) ? 1 : 0) | (isinf(v) ? 2 : 0) | (signbit(v) ? 4 : 0) | (v != v ? 8 : 0) | (v == 0.0f ? 16 : 0);
    }
}
