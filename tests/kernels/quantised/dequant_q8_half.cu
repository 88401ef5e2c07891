// ggml's q8_0 as it lies in a file: a half scale and 32 signed bytes, 34 bytes, two-byte aligned.

#include <cuda_fp16.h>

#define QK8_0 32
typedef struct {
    half d;
    int8_t qs[QK8_0];
} block_q8_0;

__global__ void dequant_q8_half(const block_q8_0* __restrict__ x, float* __restrict__ y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    const block_q8_0* b = &x[i / QK8_0];
    y[i] = __half2float(b->d) * b->qs[i % QK8_0];
}
