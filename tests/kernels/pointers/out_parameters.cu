// Results through references and pointers to locals and to members of vectors.

__device__ void sincos_poly(float x, float& s, float& c) {
    const float x2 = x * x;
    s = x * (1.0f - x2 * (1.0f / 6.0f));
    c = 1.0f - 0.5f * x2;
}

__device__ void rotate(float2* p, float angle) {
    float s, c;
    sincos_poly(angle, s, c);
    const float x = p->x;
    p->x = c * x - s * p->y;
    p->y = s * x + c * p->y;
}

__device__ void bump(float* v) { *v += 1.0f; }

__global__ void out_parameters(const float2* __restrict__ points, const float* __restrict__ angles,
                               float2* __restrict__ out, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        float2 p = points[i];
        rotate(&p, angles[i]);
        bump(&p.y);
        out[i] = p;
    }
}
