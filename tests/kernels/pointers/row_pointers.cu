// A pointer to rows of a tile as a parameter, and the difference of two pointers as an index.

#define TILE 8

__device__ float column_peak(const float (*tile)[TILE + 1], int column, int* where) {
    const float* first = &tile[0][column];
    const float* best = first;
    for (int r = 1; r < TILE; ++r)
        if (tile[r][column] > *best)
            best = &tile[r][column];
    *where = static_cast<int>(best - first) / (TILE + 1);
    return *best;
}

__global__ void row_pointers(const float* __restrict__ x, float* __restrict__ peak, int* __restrict__ row) {
    __shared__ float tile[TILE][TILE + 1];
    tile[threadIdx.y][threadIdx.x] = x[(blockIdx.x * TILE + threadIdx.y) * TILE + threadIdx.x];
    __syncthreads();
    if (threadIdx.y == 0) {
        int where;
        peak[blockIdx.x * TILE + threadIdx.x] = column_peak(tile, threadIdx.x, &where);
        row[blockIdx.x * TILE + threadIdx.x] = where;
    }
}
