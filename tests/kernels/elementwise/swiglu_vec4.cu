// SwiGLU, silu(gate) * up, four elements per thread through 128-bit accesses; the last n % 4 elements one by one.

__device__ __forceinline__ float silu(float x) { return x / (1.0f + __expf(-x)); }

__global__ void swiglu_vec4(const float* __restrict__ gate, const float* __restrict__ up, float* __restrict__ out, int n) {
    const int i = 4 * (blockIdx.x * blockDim.x + threadIdx.x);
    if (i + 3 < n) {
        const float4 g = *reinterpret_cast<const float4*>(gate + i);
        const float4 u = *reinterpret_cast<const float4*>(&up[i]);
        float4 r;
        r.x = silu(g.x) * u.x;
        r.y = silu(g.y) * u.y;
        r.z = silu(g.z) * u.z;
        r.w = silu(g.w) * u.w;
        reinterpret_cast<float4*>(out)[i >> 2] = r;
    } else {
        for (int j = i; j < n; ++j)
            out[j] = silu(gate[j]) * up[j];
    }
}
