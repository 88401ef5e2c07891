// Product of a matrix of packed q4 blocks with a vector: the scale stands in front of its 16 bytes, in one struct of 20.

#define QK 32

struct block_q4 {
    float d;
    unsigned char qs[QK / 2];
};

__device__ float dot_block(const block_q4* block, const float* x) {
    float sum = 0.0f;
    for (int j = 0; j < QK / 2; ++j) {
        const int low = (block->qs[j] & 0x0F) - 8;
        const int high = (block->qs[j] >> 4) - 8;
        sum += low * x[j] + high * x[j + QK / 2];
    }
    return sum * block->d;
}

__global__ void matvec_q4_blocks(const void* __restrict__ vw, const float* __restrict__ x, float* __restrict__ y, int rows,
                                 int blocks_per_row) {
    const int row = blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= rows)
        return;
    const block_q4* w = (const block_q4*)vw + row * blocks_per_row;
    float sum = 0.0f;
    for (int b = 0; b < blocks_per_row; ++b)
        sum += dot_block(w + b, x + b * QK);
    y[row] = sum;
}
