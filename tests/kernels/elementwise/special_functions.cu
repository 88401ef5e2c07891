// Functions that not every language has: log1p, expm1, cbrt, hypot, erfc, sincos through pointers, rsqrt, exp2.

__global__ void special_functions(const float* __restrict__ x, float* __restrict__ out, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n)
        return;

    const float v = x[i];
    float s, c;
    sincosf(v, &s, &c);

    out[0 * n + i] = log1pf(fabsf(v));
    out[1 * n + i] = expm1f(v);
    out[2 * n + i] = cbrtf(v);
    out[3 * n + i] = hypotf(v, 2.0f);
    out[4 * n + i] = erfcf(v);
    out[5 * n + i] = s * c;
    out[6 * n + i] = rsqrtf(1.0f + v * v);
    out[7 * n + i] = exp2f(v) - copysignf(0.5f, v);
    out[8 * n + i] = atan2f(v, 1.5f);
    out[9 * n + i] = powf(fabsf(v) + 0.125f, 1.7f);
}
