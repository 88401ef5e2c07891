// Packed RGB bytes (uchar3, three bytes apart) to gray, and float3 vectors to unit length.

__global__ void rgb_to_gray(const uchar3* __restrict__ rgb, unsigned char* __restrict__ gray,
                            const float3* __restrict__ normals, float3* __restrict__ unit, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;

    const uchar3 p = rgb[i];
    gray[i] = (77 * p.x + 150 * p.y + 29 * p.z + 128) >> 8;

    float3 v = normals[i];
    const float inverse = rsqrtf(v.x * v.x + v.y * v.y + v.z * v.z + 1e-6f);
    v.x *= inverse;
    v.y *= inverse;
    v.z *= inverse;
    unit[i] = v;
}
