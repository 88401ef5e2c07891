// Unpacks 4-bit weights, two to a byte in the order of ggml's q4_0: the low nibbles of a block of 16 bytes are its first
// 16 values, the high ones the others; each is (q - 8) * scale of its block.

#define QK 32

__global__ void dequant_q4(const unsigned char* __restrict__ qs, const float* __restrict__ d, float* __restrict__ y,
                           int blocks) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    const int ib = i / (QK / 2);
    const int iq = i % (QK / 2);
    if (ib >= blocks)
        return;

    const unsigned char byte = qs[ib * (QK / 2) + iq];
    const float scale = d[ib];
    float* out = y + ib * QK;
    out[iq] = ((byte & 0xF) - 8) * scale;
    out[iq + QK / 2] = ((byte >> 4) - 8) * scale;
}
