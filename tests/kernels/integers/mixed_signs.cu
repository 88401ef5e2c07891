// C's arithmetic where signed and unsigned meet: comparisons, division, shifts, and sizes below int.

__global__ void mixed_signs(const int* __restrict__ a, const unsigned int* __restrict__ b, int* __restrict__ out, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n)
        return;
    const int x = a[i];
    const unsigned int y = b[i];
    int* o = out + i * 8;

    o[0] = x < y;                              // compared as unsigned: -1 is large
    o[1] = (int)(x + y >> 1);                  // the shift is logical
    o[2] = x >> 3;                             // this one is arithmetic
    o[3] = x / 7 * 3 + x % 7;                  // towards zero
    o[4] = (signed char)x + (unsigned char)x;  // sign and zero extension
    o[5] = (short)(x ^ 0x5aa5);                // wraps at 16 bits
    unsigned char c = (unsigned char)y;
    c += 200;                                  // wraps at 8 bits
    o[6] = c;
    o[7] = (int)(y / 3u) - (int)(y % 10u);
}
