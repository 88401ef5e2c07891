//: grid = ["cdiv(N, WX)", "cdiv(M, WY)"]
//: block = ["WX", "WY"]
//: WX = [8, 1]
//: WY = [8, 16]
// One thread an element, fused.
__kernel void sgemm(__global const float* restrict A, __global const float* restrict B, __global float* restrict C, int M,
                    int N, int K, float alpha) {
    const int col = get_global_id(0), row = get_global_id(1);
    if (row >= M || col >= N)
        return;
    float acc = 0.0f;
    for (int k = 0; k < K; ++k)
        acc = fma(A[row * K + k], B[k * N + col], acc);
    C[row * N + col] = alpha * acc;
}
