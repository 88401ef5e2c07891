// Tiled product with B given transposed; both tiles are carved from one array of dynamic shared memory.

__global__ void gemm_dynamic_tiles(const float* __restrict__ A, const float* __restrict__ Bt, float* __restrict__ C,
                                   int M, int N, int K, int tile) {
    extern __shared__ float shared[];
    float* As = shared;
    float* Bs = shared + tile * tile;

    const int row = blockIdx.y * tile + threadIdx.y;
    const int col = blockIdx.x * tile + threadIdx.x;
    const int place = threadIdx.y * tile + threadIdx.x;

    float sum = 0.0f;
    for (int t = 0; t < (K + tile - 1) / tile; ++t) {
        const int k = t * tile + threadIdx.x;
        As[place] = row < M && k < K ? A[row * K + k] : 0.0f;
        const int n = blockIdx.x * tile + threadIdx.y;
        Bs[threadIdx.x * tile + threadIdx.y] = n < N && k < K ? Bt[n * K + k] : 0.0f;
        __syncthreads();
        for (int k = 0; k < tile; ++k)
            sum += As[threadIdx.y * tile + k] * Bs[k * tile + threadIdx.x];
        __syncthreads();
    }
    if (row < M && col < N)
        C[row * N + col] = sum;
}
