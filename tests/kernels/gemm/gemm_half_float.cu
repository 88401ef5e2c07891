#include <cuda_fp16.h>

// Half-precision inputs, sums in float, tiles of half in shared memory, result in half.

#define TILE 16

__global__ void gemm_half_float(const half* __restrict__ A, const half* __restrict__ B, half* __restrict__ C, int M, int N,
                                int K) {
    __shared__ half As[TILE][TILE];
    __shared__ half Bs[TILE][TILE + 2];

    const int row = blockIdx.y * TILE + threadIdx.y;
    const int col = blockIdx.x * TILE + threadIdx.x;
    const half zero = __float2half(0.0f);

    float sum = 0.0f;
    for (int k0 = 0; k0 < K; k0 += TILE) {
        As[threadIdx.y][threadIdx.x] = row < M && k0 + threadIdx.x < K ? A[row * K + k0 + threadIdx.x] : zero;
        Bs[threadIdx.y][threadIdx.x] = k0 + threadIdx.y < K && col < N ? B[(k0 + threadIdx.y) * N + col] : zero;
        __syncthreads();
        for (int k = 0; k < TILE; ++k)
            sum += __half2float(As[threadIdx.y][k]) * __half2float(Bs[k][threadIdx.x]);
        __syncthreads();
    }
    if (row < M && col < N)
        C[row * N + col] = __float2half_rn(sum);
}
