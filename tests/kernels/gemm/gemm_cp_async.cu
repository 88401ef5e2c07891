// C = A B with tiles that cp.async brings to shared memory one step ahead: two buffers, 16 bytes a thread and step.

#define TILE 32
#define STEP 16

__device__ __forceinline__ uint32_t smem_address(const void* p) {
    return static_cast<uint32_t>(__cvta_generic_to_shared(p));
}

#define CP_ASYNC_16(dst, src) asm volatile("cp.async.cg.shared.global [%0], [%1], 16;\n" ::"r"(dst), "l"(src))
#define CP_ASYNC_COMMIT() asm volatile("cp.async.commit_group;\n" ::)
#define CP_ASYNC_WAIT(n) asm volatile("cp.async.wait_group %0;\n" ::"n"(n))

// half of the threads copy A's tile of 32 rows of 16, half B's of 16 rows of 32
__device__ void load_tiles(float (*a)[STEP], float (*b)[TILE], const float* A, const float* B, int k0, int N, int K) {
    const int t = threadIdx.x & 127;
    if (threadIdx.x < 128) {
        const int row = t / 4, col = t % 4 * 4;
        CP_ASYNC_16(smem_address(&a[row][col]), A + (blockIdx.y * TILE + row) * K + k0 + col);
    } else {
        const int row = t / 8, col = t % 8 * 4;
        CP_ASYNC_16(smem_address(&b[row][col]), B + (k0 + row) * N + blockIdx.x * TILE + col);
    }
    CP_ASYNC_COMMIT();
}

// M and N are multiples of 32, K of 16
__global__ void gemm_cp_async(const float* __restrict__ A, const float* __restrict__ B, float* __restrict__ C, int M, int N,
                              int K) {
    __shared__ __align__(16) float a[2][TILE][STEP];
    __shared__ __align__(16) float b[2][STEP][TILE];
    const int row = threadIdx.x / 16 * 2, col = threadIdx.x % 16 * 2;
    float c[2][2] = {};

    load_tiles(a[0], b[0], A, B, 0, N, K);
    const int steps = K / STEP;
    for (int s = 0; s < steps; ++s) {
        if (s + 1 < steps) {
            load_tiles(a[(s + 1) & 1], b[(s + 1) & 1], A, B, (s + 1) * STEP, N, K);
            CP_ASYNC_WAIT(1);
        } else {
            CP_ASYNC_WAIT(0);
        }
        __syncthreads();
#pragma unroll
        for (int k = 0; k < STEP; ++k) {
            const float a0 = a[s & 1][row][k], a1 = a[s & 1][row + 1][k];
            const float b0 = b[s & 1][k][col], b1 = b[s & 1][k][col + 1];
            c[0][0] = fmaf(a0, b0, c[0][0]);
            c[0][1] = fmaf(a0, b1, c[0][1]);
            c[1][0] = fmaf(a1, b0, c[1][0]);
            c[1][1] = fmaf(a1, b1, c[1][1]);
        }
        __syncthreads();
    }
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 2; ++j)
            C[(blockIdx.y * TILE + row + i) * N + blockIdx.x * TILE + col + j] = c[i][j];
}
