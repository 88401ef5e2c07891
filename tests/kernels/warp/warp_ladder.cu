// The reduction of 2010: the last warp works in shared memory through a volatile pointer, without a barrier between its
// steps. Since Volta that is a race; a port has to put the missing barriers in.

__device__ void warp_reduce(volatile int* sdata, int tid) {
    sdata[tid] += sdata[tid + 32];
    sdata[tid] += sdata[tid + 16];
    sdata[tid] += sdata[tid + 8];
    sdata[tid] += sdata[tid + 4];
    sdata[tid] += sdata[tid + 2];
    sdata[tid] += sdata[tid + 1];
}

__global__ void warp_ladder(const int* __restrict__ x, int* __restrict__ sums, int n) {
    __shared__ int sdata[128];
    const int tid = threadIdx.x;
    const int i = blockIdx.x * 128 + tid;

    sdata[tid] = i < n ? x[i] : 0;
    __syncthreads();
    if (tid < 64)
        sdata[tid] += sdata[tid + 64];
    __syncthreads();
    if (tid < 32)
        warp_reduce(sdata, tid);
    if (tid == 0)
        sums[blockIdx.x] = sdata[0];
}
