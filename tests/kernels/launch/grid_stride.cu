// saxpy with a grid-stride loop in size_t: any launch covers any n.

__global__ void grid_stride(size_t n, float a, const float* __restrict__ x, const float* __restrict__ y,
                            float* __restrict__ out) {
    const size_t stride = static_cast<size_t>(gridDim.x) * blockDim.x;
    for (size_t i = blockIdx.x * static_cast<size_t>(blockDim.x) + threadIdx.x; i < n; i += stride)
        out[i] = a * x[i] + y[i];
}
