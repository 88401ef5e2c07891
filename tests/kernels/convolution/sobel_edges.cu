// Sobel gradient of bytes: its direction in eighths of a turn and its clamped magnitude. The masks are tables inside the
// function, the edges of the image repeat.

__device__ __forceinline__ unsigned char saturate_to_byte(int v) { return static_cast<unsigned char>(min(max(v, 0), 255)); }

__global__ void sobel_edges(const unsigned char* __restrict__ image, unsigned char* __restrict__ magnitude,
                            signed char* __restrict__ octant, int width, int height) {
    const int gx_mask[3][3] = {{-1, 0, 1}, {-2, 0, 2}, {-1, 0, 1}};
    const short gy_mask[3][3] = {{-1, -2, -1}, {}, {1, 2, 1}};

    const int x = blockIdx.x * blockDim.x + threadIdx.x;
    const int y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= width || y >= height) return;

    int gx = 0, gy = 0;
    for (int j = -1; j <= 1; ++j)
        for (int i = -1; i <= 1; ++i) {
            const int at = min(max(y + j, 0), height - 1) * width + min(max(x + i, 0), width - 1);
            gx += gx_mask[j + 1][i + 1] * image[at];
            gy += gy_mask[j + 1][i + 1] * image[at];
        }
    magnitude[y * width + x] = saturate_to_byte((abs(gx) + abs(gy)) / 4);

    // the octant by comparisons alone; -1 where there is no gradient
    signed char o = -1;
    if (gx || gy) {
        o = gy < 0 ? 4 : 0;
        const int u = gy < 0 ? -gx : gx, v = abs(gy);
        if (u <= 0) o += 2;
        if ((u > 0 && v > u) || (u <= 0 && v < -u)) o += 1;
    }
    octant[y * width + x] = o;
}
