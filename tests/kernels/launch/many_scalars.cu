// More scalars than Metal has buffers left for, and flags as bool: an affine map with clamps and an optional square.

__global__ void many_scalars(const float* __restrict__ x, float* __restrict__ y, int n, float a, float b, float c, float d,
                             float low, float high, bool square, bool negate, unsigned char shift, short offset, long long base) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n)
        return;
    float v = (x[i] * a + b) * c + d;
    if (square)
        v *= v;
    if (negate)
        v = -v;
    v = fminf(fmaxf(v, low), high);
    y[i] = v + (float)((base >> shift) + offset);
}
