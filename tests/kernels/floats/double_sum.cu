// A long alternating sum in double, and the same after Kahan in float: what a device without doubles cannot do.

__global__ void double_sum(const float* __restrict__ x, double* __restrict__ exact, float* __restrict__ kahan, int rows,
                           int cols) {
    const int row = blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= rows)
        return;
    double wide = 0.0;
    float sum = 0.0f, lost = 0.0f;
    for (int c = 0; c < cols; ++c) {
        const float v = x[row * cols + c];
        wide += v * (double)v;
        const float y = v * v - lost;
        const float t = sum + y;
        lost = (t - sum) - y;
        sum = t;
    }
    exact[row] = sqrt(wide);
    kahan[row] = sqrtf(sum);
}
