// Subnormals: copies and bits keep them on every device, also on those whose arithmetic flushes them.

__global__ void subnormal_copy(const float* __restrict__ x, float* __restrict__ copy, unsigned int* __restrict__ bits, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        copy[i] = x[i];
        bits[i] = __float_as_uint(x[i]) & 0x7fffffffu;
    }
}
