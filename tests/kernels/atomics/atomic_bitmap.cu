// A set of numbers as a bitmap: atomicOr sets, and the bit that was there before tells whether a number was new.
// atomicXor keeps the parity of how often each occurred, atomicAnd clears what is forbidden.

__global__ void atomic_bitmap(const unsigned int* __restrict__ x, unsigned int* seen, unsigned int* parity, int* distinct,
                              int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n)
        return;
    const unsigned int word = x[i] / 32, bit = 1u << (x[i] % 32);
    if ((atomicOr(&seen[word], bit) & bit) == 0)
        atomicAdd(distinct, 1);
    atomicXor(parity + word, bit);
    if (x[i] == 13u)
        atomicAnd(&parity[7], ~0x80000000u);
}
