// One level of a breadth-first search: the neighbours of the vertices at `level` that nobody has reached yet get
// level + 1. Whoever claims a vertex first counts it.

__global__ void bfs_level(const int* __restrict__ row_ptr, const int* __restrict__ neighbours, const int* __restrict__ before,
                          int* dist, int* reached, int vertices, int level) {
    const int v = blockIdx.x * blockDim.x + threadIdx.x;
    if (v >= vertices || before[v] != level)
        return;
    for (int e = row_ptr[v]; e < row_ptr[v + 1]; ++e) {
        const int u = neighbours[e];
        if (before[u] >= 0)
            continue;
        if (atomicCAS(&dist[u], -1, level + 1) == -1)
            atomicAdd(reached, 1);
    }
}
