// C = alpha A B + beta C, one thread per element of C, with strides given as lda, ldb, ldc.

__global__ void gemm_naive(int M, int N, int K, float alpha, const float* A, int lda, const float* B, int ldb, float beta,
                           float* C, int ldc) {
    const unsigned x = blockIdx.x * blockDim.x + threadIdx.x;
    const unsigned y = blockIdx.y * blockDim.y + threadIdx.y;

    if (x < N && y < M) {
        float tmp = 0.0;
        for (int i = 0; i < K; ++i)
            tmp += A[y * lda + i] * B[i * ldb + x];
        C[y * ldc + x] = alpha * tmp + beta * C[y * ldc + x];
    }
}
