// Steps of the Collatz sequence: do-while, a loop per thread with its own number of rounds, a conditional expression.

__global__ void collatz(const unsigned int* __restrict__ start, int* __restrict__ steps, int n, int limit) {
    const int i = blockDim.x * blockIdx.x + threadIdx.x;
    if (!(i < n)) return;
    unsigned long long v = start[i];
    int count = 0;
    do {
        if (v <= 1ull)
            break;
        v = v & 1ull ? 3ull * v + 1ull : v >> 1;
    } while (++count < limit);
    steps[i] = count;
}
