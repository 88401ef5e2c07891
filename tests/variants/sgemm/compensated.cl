//: grid = ["cdiv(N, 8)", "cdiv(M, 8)"]
//: block = [8, 8]
// Kahan's summation. Of an infinite sum nothing is lost: inf - inf would make it NaN.
__kernel void sgemm(__global const float* restrict A, __global const float* restrict B, __global float* restrict C, int M,
                    int N, int K, float alpha) {
    const int col = get_global_id(0), row = get_global_id(1);
    if (row >= M || col >= N)
        return;
    float acc = 0.0f, lost = 0.0f;
    for (int k = 0; k < K; ++k) {
        const float term = A[row * K + k] * B[k * N + col] - lost;
        const float sum = acc + term;
        lost = isinf(sum) ? 0.0f : (sum - acc) - term;
        acc = sum;
    }
    C[row * N + col] = alpha * acc;
}
