//: grid = ["cdiv(N, 8)", "cdiv(M, 8)"]
//: block = [8, 8]
//: S = [2, 4, 7]
// S sums that are added at the end.
__kernel void sgemm(__global const float* restrict A, __global const float* restrict B, __global float* restrict C, int M,
                    int N, int K, float alpha) {
    const int col = get_global_id(0), row = get_global_id(1);
    if (row >= M || col >= N)
        return;
    float sums[S];
    for (int s = 0; s < S; ++s)
        sums[s] = 0.0f;
    for (int k = 0; k < K; ++k)
        sums[k % S] = fma(A[row * K + k], B[k * N + col], sums[k % S]);
    float acc = 0.0f;
    for (int s = 0; s < S; ++s)
        acc += sums[s];
    C[row * N + col] = alpha * acc;
}
