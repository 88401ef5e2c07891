// CRC-32 (polynomial 0xEDB88320) of blocks of bytes, eight bits at a time through a table that the block makes itself in
// shared memory.

__global__ void crc32_blocks(const unsigned char* __restrict__ data, unsigned int* __restrict__ crcs, int blocks, int size) {
    __shared__ unsigned int table[256];
    for (unsigned int t = threadIdx.x; t < 256; t += blockDim.x) {
        unsigned int c = t;
        for (int bit = 0; bit < 8; ++bit)
            c = (c & 1u) ? 0xEDB88320u ^ (c >> 1) : c >> 1;
        table[t] = c;
    }
    __syncthreads();

    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < blocks) {
        unsigned int crc = ~0u;
        for (int k = 0; k < size; k++)
            crc = table[(crc ^ data[i * size + k]) & 0xff] ^ (crc >> 8);
        crcs[i] = ~crc;
    }
}
