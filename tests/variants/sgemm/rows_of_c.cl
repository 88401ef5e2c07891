//: grid = ["M"]
//: block = [1]
// One thread a row: outer products into C itself.
__kernel void sgemm(__global const float* restrict A, __global const float* restrict B, __global float* restrict C, int M,
                    int N, int K, float alpha) {
    const int row = get_group_id(0);
    for (int col = 0; col < N; ++col)
        C[row * N + col] = 0.0f;
    for (int k = 0; k < K; ++k) {
        const float a = A[row * K + k];
        for (int col = 0; col < N; ++col)
            C[row * N + col] = fma(a, B[k * N + col], C[row * N + col]);
    }
    for (int col = 0; col < N; ++col)
        C[row * N + col] *= alpha;
}
