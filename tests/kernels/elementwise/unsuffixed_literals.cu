// What a careless author writes: literals without f, so that part of the arithmetic is in double.

__global__ void unsuffixed_literals(const float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        y[i] = 0.1 * x[i] + 1.0 / 3.0;
}
