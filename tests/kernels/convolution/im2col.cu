// Patches of an image as columns of a matrix. All sizes travel in one struct by value.

struct ConvShape {
    int channels, height, width;
    int kernel, pad;
};

__global__ void im2col(const float* __restrict__ image, float* __restrict__ columns, const ConvShape s) {
    const int pixels = s.height * s.width;
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= s.channels * pixels) return;

    const int c = i / pixels, p = i % pixels;
    const int y = p / s.width, x = p % s.width;
    for (int ky = 0; ky < s.kernel; ++ky)
        for (int kx = 0; kx < s.kernel; ++kx) {
            const int iy = y + ky - s.pad, ix = x + kx - s.pad;
            const bool inside = iy >= 0 && iy < s.height && ix >= 0 && ix < s.width;
            columns[((c * s.kernel + ky) * s.kernel + kx) * pixels + p] =
                inside ? image[(c * s.height + iy) * s.width + ix] : 0.0f;
        }
}
