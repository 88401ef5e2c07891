// y[r] = scale[r] * x_scale * sum_c w[r, c] * x[c] with int8 weights and int8 activations, four columns at a time.

__global__ void matvec_int8(const signed char* __restrict__ w, const signed char* __restrict__ x,
                            const float* __restrict__ scale, float* __restrict__ y, int rows, int cols, float x_scale) {
    const int row = blockIdx.x * blockDim.y + threadIdx.y;
    if (row >= rows)
        return;  // a whole warp leaves

    const char4* wrow = reinterpret_cast<const char4*>(w + row * cols);
    const char4* xrow = reinterpret_cast<const char4*>(x);

    int acc = 0;
    for (int c = threadIdx.x; c < cols / 4; c += 32) {
        const char4 a = wrow[c];
        const char4 b = xrow[c];
        acc += a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w;
    }
#pragma unroll
    for (int mask = 16; mask > 0; mask >>= 1)
        acc += __shfl_xor_sync(0xffffffffu, acc, mask);
    if (threadIdx.x == 0)
        y[row] = scale[row] * x_scale * acc;
}
