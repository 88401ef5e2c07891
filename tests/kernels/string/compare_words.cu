// strncmp of pairs of fixed-width strings padded with zeros: -1, 0 or 1. Upper and lower case are one.

__device__ unsigned char lower(unsigned char c) {
    return c - 'A' < 26u ? c + ('a' - 'A') : c;
}

__device__ int compare(const char* a, const char* b, int width) {
    for (int k = 0; k < width; ++k) {
        const unsigned char x = lower(a[k]), y = lower(b[k]);
        if (x != y)
            return x < y ? -1 : 1;
        if (x == '\0')
            break;
    }
    return 0;
}

__global__ void compare_words(const char* __restrict__ a, const char* __restrict__ b, signed char* __restrict__ order, int n,
                              int width) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        order[i] = compare(a + i * width, b + i * width, width);
}
