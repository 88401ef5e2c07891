// 128-bit products in pieces and Montgomery's modular multiplication for an odd 32-bit modulus.

__global__ void wide_multiply(const unsigned long long* __restrict__ a, const unsigned long long* __restrict__ b,
                              unsigned long long* __restrict__ high, unsigned int* __restrict__ reduced, int n,
                              unsigned int m, unsigned int m_inverse) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        high[i] = __umul64hi(a[i], b[i]) + (a[i] * b[i] >> 63);

        const unsigned int x = (unsigned int)(a[i] % m), y = (unsigned int)(b[i] % m);
        const unsigned long long t = (unsigned long long)x * y;
        const unsigned int q = (unsigned int)t * m_inverse;
        const int difference = (int)((t >> 32) - __umulhi(q, m));
        reduced[i] = difference < 0 ? difference + m : difference;
    }
}
