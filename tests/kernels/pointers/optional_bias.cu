// An optional argument: bias may be a null pointer.

__global__ void optional_bias(const float* __restrict__ x, const float* __restrict__ bias, const float* __restrict__ gate,
                              float* __restrict__ y, int rows, int cols) {
    const int c = blockIdx.x * blockDim.x + threadIdx.x;
    const int r = blockIdx.y * blockDim.y + threadIdx.y;
    if (c >= cols || r >= rows)
        return;
    float v = x[r * cols + c];
    if (bias != nullptr)
        v += bias[c];
    if (gate)
        v *= gate[c];
    y[r * cols + c] = v;
}
