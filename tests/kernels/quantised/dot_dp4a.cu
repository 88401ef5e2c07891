// Dot products of int8 rows packed four to a word, with the byte dot product instruction.

__global__ void dot_dp4a(const int* __restrict__ a, const int* __restrict__ b, int* __restrict__ dots, int words) {
    const int row = blockIdx.x;
    int sum = 0;
    for (int i = threadIdx.x; i < words; i += blockDim.x)
        sum = __dp4a(a[row * words + i], b[row * words + i], sum);
    for (int offset = 16; offset > 0; offset /= 2)
        sum += __shfl_down_sync(0xffffffffu, sum, offset);
    if (threadIdx.x == 0)
        dots[row] = sum;
}
