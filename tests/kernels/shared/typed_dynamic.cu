// Dynamic shared memory in a template: the sample's SharedMemory struct, as an array of bytes with a typed view.

template <typename T>
__device__ T* shared_memory() {
    extern __shared__ __align__(16) unsigned char memory[];
    return reinterpret_cast<T*>(memory);
}

template <typename T>
__global__ void typed_dynamic(const T* __restrict__ x, T* __restrict__ y, int n) {
    T* sdata = shared_memory<T>();
    const int tid = threadIdx.x;
    const int i = blockIdx.x * blockDim.x + tid;
    sdata[tid] = i < n ? x[i] : T(0);
    __syncthreads();
    for (int s = 1; s < blockDim.x; s *= 2) {
        T v = tid >= s ? sdata[tid - s] : T(0);
        __syncthreads();
        sdata[tid] += v;
        __syncthreads();
    }
    if (i < n)
        y[i] = sdata[tid];
}
