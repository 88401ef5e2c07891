// Scores of 4 queries against 90 keys of 192 dimensions, both staged whole in dynamic shared memory: 70 KiB, which some
// devices have and others do not. Nothing here may be chosen smaller.

__global__ void large_head_attention(const float* __restrict__ q, const float* __restrict__ k, float* __restrict__ scores) {
    extern __shared__ float4 staged[];
    float4* qs = staged;
    float4* ks = staged + 4 * 48;

    for (int i = threadIdx.x; i < 4 * 48; i += blockDim.x)
        qs[i] = reinterpret_cast<const float4*>(q + blockIdx.x * 4 * 192)[i];
    for (int i = threadIdx.x; i < 90 * 48; i += blockDim.x)
        ks[i] = reinterpret_cast<const float4*>(k)[i];
    __syncthreads();

    for (int i = threadIdx.x; i < 4 * 90; i += blockDim.x) {
        const float4* a = qs + i / 90 * 48;
        const float4* b = ks + i % 90 * 48;
        float dot = 0.0f;
        for (int d = 0; d < 48; ++d)
            dot += a[d].x * b[d].x + a[d].y * b[d].y + a[d].z * b[d].z + a[d].w * b[d].w;
        scores[blockIdx.x * 4 * 90 + i] = dot * 0.0721687836f;
    }
}
