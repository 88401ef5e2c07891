// One step (k, j) of a bitonic sort over global memory: element i meets its partner i ^ j.

__device__ __forceinline__ void compare_swap(int& a, int& b, bool ascending) {
    if ((a > b) == ascending) {
        const int t = a;
        a = b;
        b = t;
    }
}

__global__ void bitonic_step(int* data, int n, int k, int j) {
    const unsigned int i = blockIdx.x * blockDim.x + threadIdx.x;
    const unsigned int partner = i ^ j;
    if (partner <= i || partner >= n)
        return;
    compare_swap(data[i], data[partner], (i & k) == 0);
}
