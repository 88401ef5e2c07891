// Complex FFTs of 2^LOG2 points, one per block, radix 2 in shared memory: bit-reversed load, then a butterfly per thread
// and stage. The twiddles are computed.

#define PI 3.14159265358979f

template <int LOG2>
__global__ void fft_shared(const float2* __restrict__ in, float2* __restrict__ out, float direction) {
    const unsigned N = 1u << LOG2;
    __shared__ float2 s[1 << LOG2];

    const float2* src = in + blockIdx.x * N;
    for (unsigned i = threadIdx.x; i < N; i += blockDim.x)
        s[__brev(i) >> (32 - LOG2)] = src[i];

    for (unsigned half = 1; half < N; half <<= 1) {
        __syncthreads();
        const unsigned k = threadIdx.x & (half - 1);
        const unsigned i = ((threadIdx.x - k) << 1) + k;
        float sine, cosine;
        sincosf(direction * PI * k / half, &sine, &cosine);
        const float2 a = s[i], b = s[i + half];
        const float2 t = make_float2(b.x * cosine - b.y * sine, b.x * sine + b.y * cosine);
        s[i] = make_float2(a.x + t.x, a.y + t.y);
        s[i + half] = make_float2(a.x - t.x, a.y - t.y);
    }
    __syncthreads();

    for (unsigned i = threadIdx.x; i < N; i += blockDim.x)
        out[blockIdx.x * N + i] = s[i];
}
