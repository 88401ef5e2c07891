// Threads take tickets: every number from 0 to n - 1 is taken once, by whom is open. atomicExch hands a value on.

__global__ void atomic_tickets(int* counter, int* tickets, int* last, int n) {
    __shared__ int block_count, block_base;
    if (threadIdx.x == 0)
        block_count = 0;
    __syncthreads();

    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    int mine = 0;
    if (i < n)
        mine = atomicAdd(&block_count, 1);
    __syncthreads();
    if (threadIdx.x == 0) {
        block_base = atomicAdd(counter, block_count);
        atomicExch(last, 42);
    }
    __syncthreads();
    if (i < n)
        tickets[i] = block_base + mine;
}
