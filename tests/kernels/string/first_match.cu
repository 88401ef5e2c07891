// Where a pattern first occurs in a text: every place is tried, and the smallest hit stays. n where there is none.

__constant__ unsigned char PATTERN[4] = {'a', 'b', 'a', 'c'};

__global__ void first_match(const unsigned char* __restrict__ text, int* first, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i + 4 > n)
        return;
    bool equal = true;
    for (int k = 0; k < 4 && equal; ++k)
        equal = text[i + k] == PATTERN[k];
    if (equal)
        atomicMin(first, i);
}
