// Depthwise convolution, NCHW, with stride, padding and dilation as arguments: everything that an index can do.

__global__ void depthwise_strided(const float* __restrict__ x, const float* __restrict__ w, const float* __restrict__ bias,
                                  float* __restrict__ y, int total, int channels, int in_h, int in_w, int out_h, int out_w,
                                  int kernel_size, int stride, int pad, int dilation) {
    for (int index = blockIdx.x * blockDim.x + threadIdx.x; index < total; index += blockDim.x * gridDim.x) {
        const int ox = index % out_w;
        const int oy = (index / out_w) % out_h;
        const int c = (index / out_w / out_h) % channels;
        const int n = index / out_w / out_h / channels;

        float acc = bias[c];
        for (int ky = 0; ky < kernel_size; ++ky) {
            const int iy = oy * stride - pad + ky * dilation;
            if (iy < 0 || iy >= in_h) continue;
            for (int kx = 0; kx < kernel_size; ++kx) {
                const int ix = ox * stride - pad + kx * dilation;
                if ((unsigned)ix >= (unsigned)in_w) continue;  // negative ones too
                acc += __ldg(&x[((n * channels + c) * in_h + iy) * in_w + ix]) * w[(c * kernel_size + ky) * kernel_size + kx];
            }
        }
        y[index] = acc;
    }
}
