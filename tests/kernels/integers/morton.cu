// Morton codes of 3-D points: ten bits of each coordinate interleaved, and back.

__device__ __host__ unsigned int spread(unsigned int v) {
    v = (v * 0x00010001u) & 0xFF0000FFu;
    v = (v * 0x00000101u) & 0x0F00F00Fu;
    v = (v * 0x00000011u) & 0xC30C30C3u;
    v = (v * 0x00000005u) & 0x49249249u;
    return v;
}

__device__ unsigned int compact(unsigned int v) {
    v &= 0x49249249u;
    v = (v ^ (v >> 2)) & 0xC30C30C3u;
    v = (v ^ (v >> 4)) & 0x0F00F00Fu;
    v = (v ^ (v >> 8)) & 0xFF0000FFu;
    v = (v ^ (v >> 16)) & 0x000003FFu;
    return v;
}

__global__ void morton(const uint3* __restrict__ points, unsigned int* __restrict__ codes, uint3* __restrict__ back, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        const uint3 p = points[i];
        const unsigned int code = spread(p.x) | spread(p.y) << 1 | spread(p.z) << 2;
        codes[i] = code;
        back[i] = make_uint3(compact(code), compact(code >> 1), compact(code >> 2));
    }
}
