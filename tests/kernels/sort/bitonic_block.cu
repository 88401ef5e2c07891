// Sorts each row of up to SIZE floats by itself, ascending, in shared memory. Short rows are padded with +infinity.

template <int SIZE>
__global__ void __launch_bounds__(SIZE / 2) bitonic_block(const float* __restrict__ in, float* __restrict__ out, int cols) {
    __shared__ float keys[SIZE];
    const int tid = threadIdx.x;
    const int row = blockIdx.x;

    for (int i = tid; i < SIZE; i += SIZE / 2)
        keys[i] = i < cols ? in[row * cols + i] : INFINITY;

    for (int k = 2; k <= SIZE; k <<= 1) {
        for (int j = k >> 1; j > 0; j >>= 1) {
            __syncthreads();
            const int a = 2 * tid - (tid & (j - 1));
            const int b = a + j;
            const bool ascending = (a & k) == 0;
            const float x = keys[a], y = keys[b];
            if ((x > y) == ascending) {
                keys[a] = y;
                keys[b] = x;
            }
        }
    }
    __syncthreads();

    for (int i = tid; i < cols; i += SIZE / 2)
        out[row * cols + i] = keys[i];
}
