// 2-D convolution of one image with an odd K x K mask, zero padding, through a shared tile with its halo. More elements
// in the tile than threads in the block: loaded in strides of the block.

template <int K, int TILE>
__global__ void conv2d_tile(const float* __restrict__ image, const float* __restrict__ mask, float* __restrict__ out,
                            int width, int height) {
    constexpr int HALO = K / 2;
    constexpr int SIDE = TILE + 2 * HALO;
    __shared__ float tile[SIDE * SIDE];

    const int x0 = blockIdx.x * TILE - HALO, y0 = blockIdx.y * TILE - HALO;
    for (int i = threadIdx.y * TILE + threadIdx.x; i < SIDE * SIDE; i += TILE * TILE) {
        const int x = x0 + i % SIDE, y = y0 + i / SIDE;
        tile[i] = 0 <= x && x < width && 0 <= y && y < height ? image[y * width + x] : 0.0f;
    }
    __syncthreads();

    const int x = blockIdx.x * TILE + threadIdx.x, y = blockIdx.y * TILE + threadIdx.y;
    if (x < width && y < height) {
        float sum = 0.0f;
#pragma unroll
        for (int j = 0; j < K; ++j)
#pragma unroll
            for (int i = 0; i < K; ++i)
                sum += mask[j * K + i] * tile[(threadIdx.y + j) * SIDE + threadIdx.x + i];
        out[y * width + x] = sum;
    }
}
