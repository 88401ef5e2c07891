// References to shared memory, swapped by a device function: CUDA's sorting sample.

__device__ inline void Comparator(unsigned int& keyA, unsigned int& valA, unsigned int& keyB, unsigned int& valB,
                                  unsigned int dir) {
    unsigned int t;
    if ((keyA > keyB) == dir) {
        t = keyA;
        keyA = keyB;
        keyB = t;
        t = valA;
        valA = valB;
        valB = t;
    }
}

template <unsigned int SIZE>
__global__ void comparator(const unsigned int* __restrict__ in_key, const unsigned int* __restrict__ in_val,
                           unsigned int* __restrict__ out_key, unsigned int* __restrict__ out_val, unsigned int dir) {
    __shared__ unsigned int s_key[SIZE];
    __shared__ unsigned int s_val[SIZE];

    in_key += blockIdx.x * SIZE + threadIdx.x;
    in_val += blockIdx.x * SIZE + threadIdx.x;
    out_key += blockIdx.x * SIZE + threadIdx.x;
    out_val += blockIdx.x * SIZE + threadIdx.x;
    s_key[threadIdx.x + 0] = in_key[0];
    s_val[threadIdx.x + 0] = in_val[0];
    s_key[threadIdx.x + SIZE / 2] = in_key[SIZE / 2];
    s_val[threadIdx.x + SIZE / 2] = in_val[SIZE / 2];

    for (unsigned int size = 2; size < SIZE; size <<= 1) {
        const unsigned int ddd = dir ^ ((threadIdx.x & (size / 2)) != 0);
        for (unsigned int stride = size / 2; stride > 0; stride >>= 1) {
            __syncthreads();
            const unsigned int pos = 2 * threadIdx.x - (threadIdx.x & (stride - 1));
            Comparator(s_key[pos], s_val[pos], s_key[pos + stride], s_val[pos + stride], ddd);
        }
    }
    for (unsigned int stride = SIZE / 2; stride > 0; stride >>= 1) {
        __syncthreads();
        const unsigned int pos = 2 * threadIdx.x - (threadIdx.x & (stride - 1));
        Comparator(s_key[pos], s_val[pos], s_key[pos + stride], s_val[pos + stride], dir);
    }
    __syncthreads();

    out_key[0] = s_key[threadIdx.x];
    out_val[0] = s_val[threadIdx.x];
    out_key[SIZE / 2] = s_key[threadIdx.x + SIZE / 2];
    out_val[SIZE / 2] = s_val[threadIdx.x + SIZE / 2];
}
