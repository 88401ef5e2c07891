// Bit functions at their edges: zero has no leading one, __ffs counts from 1, __clz(0) is 32.

__global__ void bit_tricks(const unsigned int* __restrict__ x, int* __restrict__ out, unsigned int* __restrict__ words, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n)
        return;
    const unsigned int v = x[i];
    out[4 * i] = __popc(v);
    out[4 * i + 1] = __clz(v);
    out[4 * i + 2] = __ffs(v);
    out[4 * i + 3] = __clzll(v) + __popcll(~(unsigned long long)v);
    words[4 * i] = __brev(v);
    words[4 * i + 1] = __byte_perm(v, 0x11223344, 0x7105);
    words[4 * i + 2] = __funnelshift_l(v, ~v, v & 31);
    words[4 * i + 3] = v << (v & 31) | v >> (-v & 31);
}
