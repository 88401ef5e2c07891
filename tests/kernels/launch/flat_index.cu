// Where a thread is, flattened: the order of threads in a 3-D block, of blocks in a 3-D grid, and the warp and lane.

__global__ void flat_index(int* __restrict__ thread, int* __restrict__ warp, int* __restrict__ lane) {
    const int in_block = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    const int block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    const int at = block * (blockDim.x * blockDim.y * blockDim.z) + in_block;

    thread[at] = threadIdx.z * 10000 + threadIdx.y * 100 + threadIdx.x;
    const int first = __shfl_sync(0xffffffffu, in_block, 0);
    warp[at] = first / 32;
    lane[at] = in_block - first;
}
