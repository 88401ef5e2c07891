// Bit-reversal permutation in place: each pair is swapped by the thread with the smaller index.

__global__ void bit_reversal(unsigned long long* a, int n, int log2n) {
    const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    const unsigned j = log2n ? __brev(i) >> (32 - log2n) : 0;
    if (i < j) {
        const unsigned long long t = a[i];
        a[i] = a[j];
        a[j] = t;
    }
}
