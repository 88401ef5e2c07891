// Shared arrays where they are used: inside a block of statements and inside two instances of a device function.

template <int N>
__device__ int reversed(int v) {
    __shared__ int s[N];
    s[threadIdx.x % N] = v;
    __syncthreads();
    const int out = s[N - 1 - threadIdx.x % N];
    __syncthreads();
    return out;
}

__global__ void scoped_arrays(const int* __restrict__ x, int* __restrict__ y) {
    const int i = blockIdx.x * 32 + threadIdx.x;
    int v = x[i];
    {
        __shared__ int first;
        if (threadIdx.x == 0)
            first = v;
        __syncthreads();
        v -= first;
    }
    v = reversed<32>(v);
    int half = threadIdx.x < 16 ? v : 0;
    __shared__ int s[16];
    if (threadIdx.x < 16)
        s[threadIdx.x] = half;
    __syncthreads();
    y[i] = v + 2 * s[15 - threadIdx.x % 16];
}
