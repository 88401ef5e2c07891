//: grid = ["cdiv(N, 16)", "cdiv(M, 4)"]
//: block = [16, 4]
// From the last product to the first.
__kernel void sgemm(__global const float* restrict A, __global const float* restrict B, __global float* restrict C, int M,
                    int N, int K, float alpha) {
    const int col = get_global_id(0), row = get_global_id(1);
    if (row < M && col < N) {
        float acc = 0.0f;
        for (int k = K - 1; k >= 0; --k)
            acc += A[row * K + k] * B[k * N + col];
        C[row * N + col] = alpha * acc;
    }
}
