// y = a x + b y over a grid-stride loop: any number of blocks is right.

__global__ void axpby(size_t n, float a, const float* __restrict__ x, float b, const float* __restrict__ y,
                      float* __restrict__ out) {
    const size_t stride = static_cast<size_t>(gridDim.x) * blockDim.x;
    for (size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += stride)
        out[i] = a * x[i] + b * y[i];
}
