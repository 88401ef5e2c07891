// The finalisers of MurmurHash3, 32 and 64 bits: every bit of the input changes half of those of the output.

__device__ __forceinline__ unsigned int fmix(unsigned int h) {
    h ^= h >> 16;
    h *= 0x85ebca6b;
    h ^= h >> 13;
    h *= 0xc2b2ae35;
    h ^= h >> 16;
    return h;
}

__device__ __forceinline__ unsigned long long fmix(unsigned long long k) {
    k ^= k >> 33;
    k *= 0xff51afd7ed558ccdULL;
    k ^= k >> 33;
    k *= 0xc4ceb9fe1a85ec53ULL;
    k ^= k >> 33;
    return k;
}

template <typename T>
__global__ void murmur_final(const T* __restrict__ keys, T* __restrict__ hashes, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        hashes[i] = fmix(keys[i]);
}
