// Odd-even transposition sort of a row in shared memory; stops as soon as a whole round swaps nothing.

template <int BLOCK>
__global__ void odd_even_until_sorted(short* rows, int* rounds, int cols) {
    __shared__ short keys[2 * BLOCK];
    short* row = rows + blockIdx.x * cols;
    const int tid = threadIdx.x;

    for (int i = tid; i < cols; i += BLOCK)
        keys[i] = row[i];
    __syncthreads();

    int round = 0;
    while (true) {
        int swapped = 0;
        for (int parity = 0; parity < 2; ++parity) {
            const int a = 2 * tid + parity;
            if (a + 1 < cols && keys[a] > keys[a + 1]) {
                const short t = keys[a];
                keys[a] = keys[a + 1];
                keys[a + 1] = t;
                swapped = 1;
            }
            __syncthreads();
        }
        ++round;
        if (!__syncthreads_or(swapped))
            break;
    }

    for (int i = tid; i < cols; i += BLOCK)
        row[i] = keys[i];
    if (tid == 0)
        rounds[blockIdx.x] = round;
}
