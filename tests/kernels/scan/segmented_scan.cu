// Segmented inclusive scan within each warp: sums start again where a flag is set. The flags' ballot tells how far back
// a lane's segment reaches.

__global__ void segmented_scan(const float* x, const unsigned char* heads, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    const unsigned lane = threadIdx.x & 31u;

    float v = i < n ? x[i] : 0.0f;
    const bool head = lane == 0 || (i < n && heads[i]);

    const unsigned flags = __ballot_sync(0xffffffffu, head);
    // the nearest head at or below this lane
    const unsigned below = flags & (0xffffffffu >> (31u - lane));
    const unsigned start = 31u - __clz(below);

    for (unsigned d = 1; d < 32; d <<= 1) {
        const float other = __shfl_up_sync(0xffffffffu, v, d);
        if (lane >= start + d)
            v += other;
    }
    if (i < n)
        y[i] = v;
}
