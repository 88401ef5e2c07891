// Histogram of 64 bins over bytes read four at a time; the top six bits of a byte name its bin.
//
// Counts of a thread are bytes packed into words of shared memory as in the CUDA samples' histogram64: no atomics at
// all before the last step. A thread sees at most 255 bytes.

#define THREADS 64
#define BINS 64

__device__ void count_byte(unsigned char* s_counts, unsigned int data) {
    s_counts[(data >> 2) * THREADS] += 1;
}

__global__ void histogram_packed(const unsigned int* __restrict__ words, unsigned int* hist, int nwords) {
    __shared__ unsigned char counts[BINS * THREADS];

    for (int i = 0; i < BINS; ++i)
        counts[i * THREADS + threadIdx.x] = 0;
    __syncthreads();

    unsigned char* own = counts + threadIdx.x;
    for (int i = blockIdx.x * THREADS + threadIdx.x; i < nwords; i += gridDim.x * THREADS) {
        const unsigned int w = words[i];
        count_byte(own, w & 0xffu);
        count_byte(own, (w >> 8) & 0xffu);
        count_byte(own, (w >> 16) & 0xffu);
        count_byte(own, w >> 24);
    }
    __syncthreads();

    // thread t sums bin t, starting at another column to spread the banks
    unsigned int sum = 0;
    for (int i = 0; i < THREADS; ++i)
        sum += counts[threadIdx.x * THREADS + ((i + threadIdx.x) & (THREADS - 1))];
    atomicAdd(&hist[threadIdx.x], sum);
}
