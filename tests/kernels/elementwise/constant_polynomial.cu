// A polynomial by Horner's scheme; its coefficients are in constant memory.

#define DEGREE 5

__constant__ float coefficients[DEGREE + 1] = {1.0f, -0.5f, 0.25f, 0.125f, -0.0625f, 0.03125f};

__global__ void constant_polynomial(const float* x, float* y, int n) {
    const int i = threadIdx.x + blockDim.x * blockIdx.x;
    if (i < n) {
        float sum = coefficients[DEGREE];
#pragma unroll
        for (int k = DEGREE - 1; k >= 0; --k)
            sum = sum * x[i] + coefficients[k];
        y[i] = sum;
    }
}
