// NaN: fminf and fmaxf prefer the number, comparisons are false, and what is not a number stays one in a sum.

__global__ void nan_minmax(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ low,
                           float* __restrict__ high, int* __restrict__ flags, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n)
        return;
    const float x = a[i], y = b[i];
    low[i] = fminf(x, y);
    high[i] = fmaxf(x, y);
    flags[i] = (x < y) | (x > y) << 1 | (x != x) << 2 | (isnan(x + y) ? 8 : 0) | (isinf(x) ? 16 : 0) |
               (isfinite(y) ? 32 : 0) | (!(x >= y) ? 64 : 0);
}
