// Index of the largest number of each row, the first where there are several. A warp per row.

__global__ void warp_argmax(const float* __restrict__ x, int* __restrict__ index, float* __restrict__ peak, int cols) {
    const int row = blockIdx.x;
    const int lane = threadIdx.x;

    float best = -INFINITY;
    int where = 0x7fffffff;
    for (int c = lane; c < cols; c += 32) {
        const float v = x[row * cols + c];
        if (v > best) {
            best = v;
            where = c;
        }
    }
    for (int mask = 16; mask > 0; mask >>= 1) {
        const float other = __shfl_xor_sync(0xffffffffu, best, mask);
        const int other_where = __shfl_xor_sync(0xffffffffu, where, mask);
        if (other > best || (other == best && other_where < where)) {
            best = other;
            where = other_where;
        }
    }
    if (lane == 0) {
        index[row] = where;
        peak[row] = best;
    }
}
