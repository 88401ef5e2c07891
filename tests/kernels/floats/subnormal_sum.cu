// Arithmetic on subnormals, which some devices take as zero: the bounds of the port have to allow for that.

__global__ void subnormal_sum(const float* __restrict__ x, float* __restrict__ y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        y[i] = x[i] * 2.0f + 1.0e-37f;
}
