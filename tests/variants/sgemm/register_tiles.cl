//: grid = ["cdiv(N, 16)", "cdiv(M, 16)"]
//: block = [8, 8]
// Two by two elements a thread.
__kernel void sgemm(__global const float* restrict A, __global const float* restrict B, __global float* restrict C, int M,
                    int N, int K, float alpha) {
    const int col = get_group_id(0) * 16 + get_local_id(0), row = get_group_id(1) * 16 + get_local_id(1);
    float acc[2][2];
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 2; ++j)
            acc[i][j] = 0.0f;
    for (int k = 0; k < K; ++k)
        for (int i = 0; i < 2; ++i) {
            const float a = row + 8 * i < M ? A[(row + 8 * i) * K + k] : 0.0f;
            for (int j = 0; j < 2; ++j)
                if (col + 8 * j < N)
                    acc[i][j] = fma(a, B[k * N + col + 8 * j], acc[i][j]);
        }
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 2; ++j)
            if (row + 8 * i < M && col + 8 * j < N)
                C[(row + 8 * i) * N + col + 8 * j] = alpha * acc[i][j];
}
