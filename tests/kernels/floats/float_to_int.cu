// Conversions out of range: CUDA gives the nearest integer that the type holds.

__global__ void float_to_int(const float* __restrict__ x, int* __restrict__ as_int, unsigned int* __restrict__ as_uint,
                             int* __restrict__ nearest, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        as_int[i] = static_cast<int>(x[i]);
        as_uint[i] = static_cast<unsigned int>(x[i]);
        nearest[i] = __float2int_rn(x[i]);
    }
}
