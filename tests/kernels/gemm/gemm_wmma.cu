#include <cuda_fp16.h>
#include <mma.h>

// Tensor cores: a warp computes a 16 x 16 tile of C = A B, A and B in half precision, B stored by columns, sums in
// float. M, N and K are multiples of 16.

using namespace nvcuda;

__global__ void gemm_wmma(const half* __restrict__ A, const half* __restrict__ B, float* __restrict__ C, int M, int N, int K) {
    const int warp_row = (blockIdx.x * blockDim.x + threadIdx.x) / warpSize;
    const int warp_col = blockIdx.y;
    if (warp_row * 16 >= M) return;

    wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> a;
    wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::col_major> b;
    wmma::fragment<wmma::accumulator, 16, 16, 16, float> acc;
    wmma::fill_fragment(acc, 0.0f);

    for (int k = 0; k < K; k += 16) {
        wmma::load_matrix_sync(a, A + warp_row * 16 * K + k, K);
        wmma::load_matrix_sync(b, B + warp_col * 16 * K + k, K);
        wmma::mma_sync(acc, a, b, acc);
    }
    wmma::store_matrix_sync(C + warp_row * 16 * N + warp_col * 16, acc, N, wmma::mem_row_major);
}
