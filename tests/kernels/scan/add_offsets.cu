// Last step of a scan over many blocks: adds to every element the total of the blocks before its own, in place.

__global__ void add_offsets(long long* data, const long long* __restrict__ offsets, int n, int per_block = 64) {
    __shared__ long long offset;
    if (threadIdx.x == 0)
        offset = __ldg(offsets + blockIdx.x);
    __syncthreads();
    const int i = blockIdx.x * per_block + threadIdx.x;
    if (threadIdx.x < per_block && i < n)
        data[i] += offset;
}
