// Second derivative along a line with an eighth-order stencil; the coefficients are in constant memory and the block's
// part with its halo of four is in shared memory. Beyond the ends the field is zero.

#define RADIUS 4

__constant__ float weights[RADIUS + 1] = {-205.0f / 72.0f, 8.0f / 5.0f, -1.0f / 5.0f, 8.0f / 315.0f, -1.0f / 560.0f};

template <int BLOCK>
__global__ void fd8_line(const float* __restrict__ u, float* __restrict__ d2u, int n, float inverse_h2) {
    __shared__ float line[BLOCK + 2 * RADIUS];

    const int i = blockIdx.x * BLOCK + threadIdx.x;
    const int l = threadIdx.x + RADIUS;

    line[l] = i < n ? u[i] : 0.0f;
    if (threadIdx.x < RADIUS) {
        line[l - RADIUS] = i >= RADIUS && i - RADIUS < n ? u[i - RADIUS] : 0.0f;
        line[l + BLOCK] = i + BLOCK < n ? u[i + BLOCK] : 0.0f;
    }
    __syncthreads();

    float sum = weights[0] * line[l];
#pragma unroll
    for (int k = 1; k <= RADIUS; k++)
        sum += weights[k] * (line[l - k] + line[l + k]);
    if (i < n)
        d2u[i] = sum * inverse_h2;
}
