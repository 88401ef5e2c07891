// Complex product in double precision, z = x * conj(y), elements as double2.

__device__ double2 multiply_conj(double2 a, double2 b) {
    return make_double2(fma(a.x, b.x, a.y * b.y), fma(a.y, b.x, -(a.x * b.y)));
}

__global__ void complex_multiply(const double2* __restrict__ x, const double2* __restrict__ y, double2* __restrict__ z,
                                 int n) {
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        z[i] = multiply_conj(x[i], y[i]);
}
