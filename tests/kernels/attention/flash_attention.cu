// Flash attention, forward: a block takes BR queries of one head and walks over the keys in tiles of BC, keeping the
// running maximum and sum of each row; scores never leave shared memory. One thread per query row.

template <int BR, int BC, int D>
__global__ void flash_attention(const float* __restrict__ Q, const float* __restrict__ K, const float* __restrict__ V,
                                float* __restrict__ O, int N, float softmax_scale) {
    __shared__ float Ks[BC][D], Vs[BC][D];

    const size_t head = blockIdx.y * (size_t)N * D;
    const int row = blockIdx.x * BR + threadIdx.x;

    float q[D], o[D];
    for (int d = 0; d < D; ++d) {
        q[d] = row < N ? Q[head + row * D + d] * softmax_scale : 0.0f;
        o[d] = 0.0f;
    }
    float m = -INFINITY, l = 0.0f;

    for (int j0 = 0; j0 < N; j0 += BC) {
        const int tile = min(BC, N - j0);
        for (int i = threadIdx.x; i < tile * D; i += BR) {
            Ks[i / D][i % D] = K[head + j0 * D + i];
            Vs[i / D][i % D] = V[head + j0 * D + i];
        }
        __syncthreads();

        float s[BC], peak = m;
        for (int j = 0; j < tile; ++j) {
            float dot = 0.0f;
#pragma unroll
            for (int d = 0; d < D; ++d) dot = fmaf(q[d], Ks[j][d], dot);
            s[j] = dot;
            peak = fmaxf(peak, dot);
        }
        const float correction = expf(m - peak);
        l *= correction;
        for (int d = 0; d < D; ++d) o[d] *= correction;
        for (int j = 0; j < tile; ++j) {
            const float p = expf(s[j] - peak);
            l += p;
#pragma unroll
            for (int d = 0; d < D; ++d) o[d] = fmaf(p, Vs[j][d], o[d]);
        }
        m = peak;
        __syncthreads();
    }

    if (row < N)
        for (int d = 0; d < D; ++d) O[head + row * D + d] = o[d] / l;
}
