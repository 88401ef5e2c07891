// A queue kept in __device__ variables: where the next item goes, how many were left out, and the prices of each kind.

__device__ unsigned int queue_length = 0;
__device__ unsigned int left_out = 0;
__device__ float prices[4] = {0.55f, 1.0f, 2.4f};

__device__ bool enqueue(float* queue, unsigned int room, float value) {
    const unsigned int at = atomicAdd(&queue_length, 1u);
    if (at < room) {
        queue[at] = value;
        return true;
    }
    atomicAdd(&left_out, 1u);
    return false;
}

// kinds above 3 are not for sale
__global__ void device_counters(const int* __restrict__ kind, float* queue, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n && kind[i] < 4)
        enqueue(queue, n, prices[kind[i]]);
}
