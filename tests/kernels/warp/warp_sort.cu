// Sorts 32 pairs of key and value per warp by key, in registers: a bitonic network of shuffles.

__device__ __forceinline__ void exchange(int& key, int& value, int lane, int distance, bool ascending) {
    const int other_key = __shfl_xor_sync(0xffffffffu, key, distance);
    const int other_value = __shfl_xor_sync(0xffffffffu, value, distance);
    const bool lower = (lane & distance) == 0;
    const bool take = lower == ascending ? other_key < key : other_key > key;
    key = take ? other_key : key;
    value = take ? other_value : value;
}

__global__ void warp_sort(int* keys, int* values) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    const int lane = threadIdx.x & 31;
    int key = keys[i], value = values[i];

#pragma unroll
    for (int size = 2; size <= 32; size *= 2) {
#pragma unroll
        for (int distance = size / 2; distance > 0; distance /= 2)
            exchange(key, value, lane, distance, (lane & size) == 0);
    }

    keys[i] = key;
    values[i] = value;
}
