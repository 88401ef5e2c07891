// Histogram of floats over equal bins of [0, bins / 4), straight into global memory.
//
// What lies outside goes to the first and the last bin, as numpy.clip would put it.

__global__ void histogram_global(const float* __restrict__ x, unsigned int* hist, int n, int bins) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n)
        return;

    int bin = static_cast<int>(floorf(x[i] * 4.0f));
    bin = max(0, min(bin, bins - 1));
    atomicAdd(hist + bin, 1u);
}
