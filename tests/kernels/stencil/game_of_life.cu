// One generation on a torus of bytes. Neighbours wrap around: (x - 1 + width) % width, and an index that is negative
// for a moment.

__global__ void game_of_life(const unsigned char* __restrict__ cells, unsigned char* __restrict__ next, int width, int height) {
    const int x = blockIdx.x * blockDim.x + threadIdx.x;
    const int y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= width || y >= height) return;

    unsigned char alive = 0;
    for (int dy = -1; dy <= 1; dy++) {
        for (int dx = -1; dx <= 1; dx++) {
            if (dx == 0 && dy == 0) continue;
            int nx = (x + dx) % width;
            if (nx < 0) nx += width;
            const int ny = (y + dy + height) % height;
            alive += cells[ny * width + nx];
        }
    }
    const unsigned char self = cells[y * width + x];
    next[y * width + x] = alive == 3 || (self && alive == 2);
}
