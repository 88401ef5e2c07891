// 2 x 2 max pooling with the places of the maxima; the last row and column of odd images are pooled alone.

__global__ void maxpool_argmax(const float* x, float* y, int* where, const int height, const int width) {
    const int ow = (width + 1) / 2, oh = (height + 1) / 2;
    const int ox = blockIdx.x * blockDim.x + threadIdx.x;
    const int oy = blockIdx.y * blockDim.y + threadIdx.y;
    if (ox >= ow || oy >= oh) return;

    float best;
    int place = -1;
    int dy = 0;
    do {
        for (int dx = 0; dx < 2; ++dx) {
            const int iy = 2 * oy + dy, ix = 2 * ox + dx;
            if (iy >= height || ix >= width) break;
            const float v = x[iy * width + ix];
            if (place < 0 || v > best) {
                best = v;
                place = iy * width + ix;
            }
        }
    } while (++dy < 2);
    y[oy * ow + ox] = best;
    where[oy * ow + ox] = place;
}
