// Strided batched product in double: the batch is the grid's z, strides are 64-bit.

__global__ void gemm_batched_double(const double* A, const double* B, double* C, int m, int n, int k, long long stride_a,
                                    long long stride_b, long long stride_c) {
    A += blockIdx.z * stride_a;
    B += blockIdx.z * stride_b;
    C += blockIdx.z * stride_c;

    __shared__ double a[8][8], b[8][8];
    const int r = blockIdx.y * 8 + threadIdx.y, c = blockIdx.x * 8 + threadIdx.x;
    double sum = 0;
    for (int t = 0; t < k; t += 8) {
        a[threadIdx.y][threadIdx.x] = r < m && t + threadIdx.x < k ? A[(long long)r * k + t + threadIdx.x] : 0.0;
        b[threadIdx.y][threadIdx.x] = t + threadIdx.y < k && c < n ? B[(long long)(t + threadIdx.y) * n + c] : 0.0;
        __syncthreads();
        for (int i = 0; i < 8; i++)
            sum = fma(a[threadIdx.y][i], b[i][threadIdx.x], sum);
        __syncthreads();
    }
    if (r < m && c < n)
        C[(long long)r * n + c] = sum;
}
