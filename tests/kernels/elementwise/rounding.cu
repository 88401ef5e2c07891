// Every way to round a float to an integer, side by side; halves and negative numbers tell them apart.

__global__ void rounding(const float* x, int* out, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    const float v = x[i];
    int* o = out + 8 * i;
    o[0] = (int)v;                // towards zero
    o[1] = __float2int_rn(v);     // to nearest, halves to even
    o[2] = __float2int_rd(v);     // down
    o[3] = __float2int_ru(v);     // up
    o[4] = (int)roundf(v);        // to nearest, halves away from zero
    o[5] = (int)rintf(v);         // to nearest, halves to even
    o[6] = (int)floorf(v) + (int)ceilf(-v);
    o[7] = (int)(truncf(v) * 2.0f) + (v < 0.0f);
}
