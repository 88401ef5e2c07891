// Gravitational acceleration, all pairs: bodies as float4 (x, y, z, mass) pass through shared memory in tiles.

#define SOFTENING 1e-3f

__device__ __forceinline__ float3 body_body(float4 bi, float4 bj, float3 ai) {
    const float3 r = make_float3(bj.x - bi.x, bj.y - bi.y, bj.z - bi.z);
    const float d2 = r.x * r.x + r.y * r.y + r.z * r.z + SOFTENING;
    const float inverse = rsqrtf(d2);
    const float s = bj.w * (inverse * inverse * inverse);
    ai.x += r.x * s;
    ai.y += r.y * s;
    ai.z += r.z * s;
    return ai;
}

template <int P>
__global__ void nbody_tiles(const float4* __restrict__ bodies, float4* __restrict__ acceleration, int n) {
    __shared__ float4 tile[P];

    const int i = blockIdx.x * P + threadIdx.x;
    const float4 me = i < n ? bodies[i] : make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    float3 a = {0.0f, 0.0f, 0.0f};

    for (int start = 0; start < n; start += P) {
        if (start + threadIdx.x < n)
            tile[threadIdx.x] = bodies[start + threadIdx.x];
        else
            tile[threadIdx.x] = make_float4(0.0f, 0.0f, 0.0f, 0.0f);  // no mass, no force
        __syncthreads();
#pragma unroll 8
        for (int j = 0; j < P; ++j)
            a = body_body(me, tile[j], a);
        __syncthreads();
    }
    if (i < n)
        acceleration[i] = make_float4(a.x, a.y, a.z, 0.0f);
}
