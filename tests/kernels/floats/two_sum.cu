// Sums in twice the precision (Dekker, Knuth): every operation must be rounded by itself, none reassociated. The exact
// error of a product comes from fma.

__device__ void two_sum(float a, float b, float& s, float& e) {
    s = a + b;
    const float bb = s - a;
    e = (a - (s - bb)) + (b - bb);
}

__global__ void two_sum(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ sums,
                        float* __restrict__ errors, int rows, int cols) {
    const int row = blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= rows)
        return;
    float sum = 0.0f, error = 0.0f;
    for (int c = 0; c < cols; ++c) {
        const float x = a[row * cols + c], y = b[row * cols + c];
        const float p = __fmul_rn(x, y);
        const float pe = fmaf(x, y, -p);
        float e;
        two_sum(sum, p, sum, e);
        error += e + pe;
    }
    sums[row] = sum;
    errors[row] = error;
}
