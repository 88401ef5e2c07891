// Relaxes every edge of a weighted graph once: distances shrink by atomicMin, and a flag tells whether any did.

#define UNREACHED 0x3fffffff

__global__ void sssp_relax(const int4* __restrict__ edges, const int* __restrict__ from, int* to, int count) {
    const int e = blockIdx.x * blockDim.x + threadIdx.x;
    if (e < count) {
        const int4 edge = edges[e];  // source, target, weight, padding
        const int start = from[edge.x];
        if (start < UNREACHED)
            atomicMin(&to[edge.y], start + edge.z);
    }
}
