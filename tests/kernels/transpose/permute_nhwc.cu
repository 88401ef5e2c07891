// (batch, channels, pixels) to (batch, pixels, channels) for 16-bit elements of any kind; the batch is the grid's z.

template <typename T, int DIM, int ROWS>
__global__ void permute_nhwc(const T* __restrict__ in, T* __restrict__ out, int channels, int pixels) {
    __shared__ T tile[DIM][DIM + 2];

    const size_t image = static_cast<size_t>(blockIdx.z) * channels * pixels;
    in += image;
    out += image;

    const int p0 = blockIdx.x * DIM, c0 = blockIdx.y * DIM;
    for (int j = threadIdx.y; j < DIM; j += ROWS)
        if (c0 + j < channels && p0 + (int)threadIdx.x < pixels)
            tile[j][threadIdx.x] = in[(c0 + j) * pixels + p0 + threadIdx.x];
    __syncthreads();
    for (int j = threadIdx.y; j < DIM; j += ROWS)
        if (p0 + j < pixels && c0 + (int)threadIdx.x < channels)
            out[(p0 + j) * channels + c0 + threadIdx.x] = tile[threadIdx.x][j];
}
