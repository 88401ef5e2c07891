// Transpose of a square matrix in place: blocks on and above the diagonal swap their tile with its mirror image. The
// others return at once, all threads of a block alike.

#define TILE 16

__global__ void transpose_inplace(float* a, int n) {
    __shared__ float upper[TILE][TILE + 1];
    __shared__ float lower[TILE][TILE + 1];

    if (blockIdx.y > blockIdx.x)
        return;

    const int tx = threadIdx.x, ty = threadIdx.y;
    const int ux = blockIdx.x * TILE + tx, uy = blockIdx.y * TILE + ty;
    const int lx = blockIdx.y * TILE + tx, ly = blockIdx.x * TILE + ty;

    if (ux < n && uy < n) upper[ty][tx] = a[uy * n + ux];
    if (lx < n && ly < n) lower[ty][tx] = a[ly * n + lx];
    __syncthreads();
    if (lx < n && ly < n) a[ly * n + lx] = upper[tx][ty];
    if (blockIdx.x != blockIdx.y && ux < n && uy < n) a[uy * n + ux] = lower[tx][ty];
}
