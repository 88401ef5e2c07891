// Iterations until escape. Contraction to fma may move a point over the border, so the points lie well away from it.

__global__ void mandelbrot(const float* __restrict__ cx, const float* __restrict__ cy, unsigned short* __restrict__ out,
                           int n, int max_iterations) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n)
        return;
    float x = 0.0f, y = 0.0f;
    int k = 0;
    while (k < max_iterations && x * x + y * y <= 4.0f) {
        const float t = x * x - y * y + cx[i];
        y = 2.0f * x * y + cy[i];
        x = t;
        k++;
    }
    out[i] = k;
}
