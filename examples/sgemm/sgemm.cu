// Single-precision matrix product, row-major: C[M, N] = alpha * A[M, K] * B[K, N].
//
// A block computes a TILE x TILE tile of C, one element per thread, and walks along K in steps of TILE through shared
// memory. M, N and K need not be multiples of TILE: what lies outside is loaded as zero and not stored.

template <int TILE>
__global__ void __launch_bounds__(TILE * TILE)
sgemm(const float* __restrict__ A, const float* __restrict__ B, float* __restrict__ C,
      int M, int N, int K, float alpha) {
    __shared__ float As[TILE][TILE];
    __shared__ float Bs[TILE][TILE + 1];  // one column more: no bank conflicts

    const int tx = threadIdx.x;
    const int ty = threadIdx.y;
    const int row = blockIdx.y * TILE + ty;
    const int col = blockIdx.x * TILE + tx;

    float acc = 0.0f;

    for (int k0 = 0; k0 < K; k0 += TILE) {
        As[ty][tx] = (row < M && k0 + tx < K) ? A[row * K + k0 + tx] : 0.0f;
        Bs[ty][tx] = (k0 + ty < K && col < N) ? B[(k0 + ty) * N + col] : 0.0f;
        __syncthreads();

#pragma unroll
        for (int k = 0; k < TILE; ++k)
            acc = fmaf(As[ty][k], Bs[k][tx], acc);
        __syncthreads();  // the tiles are overwritten in the next step
    }

    if (row < M && col < N)
        C[row * N + col] = alpha * acc;
}
