// Register-tiled product: a block of 8 x 8 threads computes a 32 x 32 tile of C, each thread 4 x 4 elements of it, from
// tiles of A (transposed) and B that are loaded as float4. M, N, K are multiples of 4; the edges are zero-filled.

template <int BM, int BN, int BK, int TM, int TN>
__global__ void __launch_bounds__((BM * BN) / (TM * TN))
gemm_register_tiles(const float* __restrict__ A, const float* __restrict__ B, float* __restrict__ C, int M, int N, int K) {
    __shared__ float As[BK][BM];
    __shared__ float4 Bs4[BK][BN / 4];

    const int threads = (BM / TM) * (BN / TN);
    const int tid = threadIdx.x;
    const int row0 = blockIdx.y * BM, col0 = blockIdx.x * BN;
    const int tr = tid / (BN / TN) * TM, tc = tid % (BN / TN) * TN;

    float acc[TM][TN] = {};
    float a[TM], b[TN];

    for (int k0 = 0; k0 < K; k0 += BK) {
        for (int i = tid; i < BM * BK / 4; i += threads) {
            const int r = i / (BK / 4), c = i % (BK / 4) * 4;
            float4 v = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
            if (row0 + r < M && k0 + c < K)
                v = *reinterpret_cast<const float4*>(&A[(row0 + r) * K + k0 + c]);
            As[c + 0][r] = v.x;
            As[c + 1][r] = v.y;
            As[c + 2][r] = v.z;
            As[c + 3][r] = v.w;
        }
        for (int i = tid; i < BK * BN / 4; i += threads) {
            const int r = i / (BN / 4), c = i % (BN / 4);
            float4 v = {0.0f, 0.0f, 0.0f, 0.0f};
            if (k0 + r < K && col0 + 4 * c < N)
                v = reinterpret_cast<const float4*>(B)[((k0 + r) * N + col0) / 4 + c];
            Bs4[r][c] = v;
        }
        __syncthreads();

#pragma unroll
        for (int k = 0; k < BK; ++k) {
            for (int i = 0; i < TM; ++i) a[i] = As[k][tr + i];
            const float4 v = Bs4[k][tc / 4];
            b[0] = v.x, b[1] = v.y, b[2] = v.z, b[3] = v.w;
            for (int i = 0; i < TM; ++i)
                for (int j = 0; j < TN; ++j)
                    acc[i][j] = fmaf(a[i], b[j], acc[i][j]);
        }
        __syncthreads();
    }

    for (int i = 0; i < TM; ++i) {
        if (row0 + tr + i < M && col0 + tc < N)
            *reinterpret_cast<float4*>(&C[(row0 + tr + i) * N + col0 + tc]) =
                make_float4(acc[i][0], acc[i][1], acc[i][2], acc[i][3]);
    }
}
