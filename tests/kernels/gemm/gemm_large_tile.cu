// A product whose tiles need 48 KiB of shared memory as the author chose them; TILE_K may be chosen again.

template <int TILE_K>
__global__ void gemm_large_tile(const float* A, const float* B, float* C, int M, int N, int K) {
    __shared__ float As[32][TILE_K];
    __shared__ float Bs[TILE_K][32];
    const int tx = threadIdx.x, ty = threadIdx.y;
    const int row = blockIdx.y * 32 + ty, col = blockIdx.x * 32 + tx;

    float sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    for (int k0 = 0; k0 < K; k0 += TILE_K) {
        for (int i = ty; i < 32; i += 8)
            for (int k = tx; k < TILE_K; k += 32)
                As[i][k] = blockIdx.y * 32 + i < M && k0 + k < K ? A[(blockIdx.y * 32 + i) * K + k0 + k] : 0.0f;
        for (int k = ty; k < TILE_K; k += 8)
            Bs[k][tx] = k0 + k < K && col < N ? B[(k0 + k) * N + col] : 0.0f;
        __syncthreads();
        for (int k = 0; k < TILE_K; ++k)
            for (int i = 0; i < 4; ++i)
                sum[i] += As[ty + 8 * i][k] * Bs[k][tx];
        __syncthreads();
    }
    for (int i = 0; i < 4; ++i)
        if (row + 8 * i < M && col < N)
            C[(row + 8 * i) * N + col] = sum[i];
}
