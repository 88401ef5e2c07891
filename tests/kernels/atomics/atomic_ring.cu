// A ring of slots: atomicInc wraps to 0 behind its limit, so that the n-th arrival gets slot n modulo the ring.

__global__ void atomic_ring(unsigned int* cursor, unsigned int* uses, int n, unsigned int slots) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        const unsigned int slot = atomicInc(cursor, slots - 1);
        atomicAdd(&uses[slot], 1u);
    }
}
