// 64-bit FNV-1a of strings that lie one behind the other; offsets[i] is where string i begins.

__global__ void fnv1a_rows(const unsigned char* __restrict__ text, const int* __restrict__ offsets,
                           unsigned long long* __restrict__ hashes, int count) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count)
        return;
    unsigned long long hash = 0xcbf29ce484222325ULL;
    for (int k = offsets[i]; k < offsets[i + 1]; ++k) {
        hash ^= text[k];
        hash *= 0x100000001b3ULL;
    }
    hashes[i] = hash;
}
