//: grid = ["cdiv(N, 8)", "cdiv(M, 8)"]
//: block = [8, 8]
// Products rounded before they are added.
__kernel void sgemm(__global const float* restrict A, __global const float* restrict B, __global float* restrict C, int M,
                    int N, int K, float alpha) {
    #pragma OPENCL FP_CONTRACT OFF
    const int col = get_global_id(0), row = get_global_id(1);
    if (row >= M || col >= N)
        return;
    float acc = 0.0f;
    for (int k = 0; k < K; ++k) {
        const float product = A[row * K + k] * B[k * N + col];
        acc = acc + product;
    }
    C[row * N + col] = acc * alpha;
}
