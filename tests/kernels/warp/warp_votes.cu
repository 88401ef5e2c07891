// any, all and ballot of each warp of a row; the last warp of a row may be partly beyond its end.

__global__ void warp_votes(const float* __restrict__ x, int* __restrict__ any, int* __restrict__ all,
                           unsigned int* __restrict__ bits, int n, float threshold) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    const int warp = i >> 5;
    const int above = i < n && x[i] > threshold;

    const int some = __any_sync(0xffffffffu, above);
    const int every = __all_sync(0xffffffffu, above || i >= n);
    const unsigned int votes = __ballot_sync(0xffffffffu, above);

    if ((threadIdx.x & 31) == 0 && i < n) {
        any[warp] = some;
        all[warp] = every;
        bits[warp] = votes;
    }
}
