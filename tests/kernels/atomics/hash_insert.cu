// Inserts keys into an open hash table with linear probing. Which slot a key ends in depends on the order; which keys
// are in the table, and how often each came, does not.

#define EMPTY 0xffffffffu

__device__ int slot_of(unsigned int* table, unsigned int key, int capacity) {
    int slot = (key * 2654435761u) % capacity;
    while (true) {
        const unsigned int before = atomicCAS(&table[slot], EMPTY, key);
        if (before == EMPTY || before == key)
            return slot;
        slot = (slot + 1) % capacity;
    }
}

__global__ void hash_insert(const unsigned int* __restrict__ keys, unsigned int* table, int n, int capacity) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        slot_of(table, keys[i], capacity);
}
