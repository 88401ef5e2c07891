// The reductions in hardware of sm_80 and later: add, min, max, and, or, xor over a warp.

__global__ void warp_reduce_intrinsics(const unsigned int* __restrict__ x, unsigned int* __restrict__ out) {
    const unsigned int full = 0xffffffffu;
    const unsigned int v = x[blockIdx.x * 32 + threadIdx.x];

    const unsigned int sum = __reduce_add_sync(full, v);
    const unsigned int least = __reduce_min_sync(full, v);
    const unsigned int most = __reduce_max_sync(full, v);
    const unsigned int common = __reduce_and_sync(full, v);
    const unsigned int every = __reduce_or_sync(full, v);
    const unsigned int parity = __reduce_xor_sync(full, v);
    const int signed_least = __reduce_min_sync(full, (int)v);

    if (threadIdx.x == 0) {
        unsigned int* row = out + blockIdx.x * 7;
        row[0] = sum;
        row[1] = least;
        row[2] = most;
        row[3] = common;
        row[4] = every;
        row[5] = parity;
        row[6] = signed_least;
    }
}
