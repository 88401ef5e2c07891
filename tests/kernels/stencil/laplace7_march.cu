// Seven-point Laplacian of a 3-D field. A block owns a 16 x 8 column and marches along z: the planes above and below are
// in registers, the current one in shared memory. Only interior points are written; the border is copied.

#define TX 16
#define TY 8
#define IDX(x, y, z) (((z) * ny + (y)) * nx + (x))

__global__ void laplace7_march(const float* __restrict__ u, float* __restrict__ out, int nx, int ny, int nz) {
    __shared__ float plane[TY + 2][TX + 2];

    const int x = blockIdx.x * TX + threadIdx.x, y = blockIdx.y * TY + threadIdx.y;
    const int lx = threadIdx.x + 1, ly = threadIdx.y + 1;
    const bool inside = x < nx && y < ny;

    float below = 0.0f, here = inside ? u[IDX(x, y, 0)] : 0.0f;
    for (int z = 0; z < nz; ++z) {
        const float above = inside && z + 1 < nz ? u[IDX(x, y, z + 1)] : 0.0f;

        __syncthreads();
        plane[ly][lx] = here;
        if (threadIdx.x == 0 && x > 0 && y < ny && x - 1 < nx) plane[ly][0] = u[IDX(x - 1, y, z)];
        if (threadIdx.x == TX - 1 && x + 1 < nx && y < ny) plane[ly][TX + 1] = u[IDX(x + 1, y, z)];
        if (threadIdx.y == 0 && y > 0 && x < nx && y - 1 < ny) plane[0][lx] = u[IDX(x, y - 1, z)];
        if (threadIdx.y == TY - 1 && y + 1 < ny && x < nx) plane[TY + 1][lx] = u[IDX(x, y + 1, z)];
        __syncthreads();

        if (inside) {
            float value = here;
            if (x > 0 && x < nx - 1 && y > 0 && y < ny - 1 && z > 0 && z < nz - 1)
                value = plane[ly][lx - 1] + plane[ly][lx + 1] + plane[ly - 1][lx] + plane[ly + 1][lx] + below + above
                        - 6.0f * here;
            out[IDX(x, y, z)] = value;
        }
        below = here;
        here = above;
    }
}
