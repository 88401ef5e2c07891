//: grid = ["cdiv(N, 8)", "cdiv(M, 8)"]
//: block = [8, 8]
// The sum in double.
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
__kernel void sgemm(__global const float* restrict A, __global const float* restrict B, __global float* restrict C, int M,
                    int N, int K, float alpha) {
    const int col = get_global_id(0), row = get_global_id(1);
    if (row >= M || col >= N)
        return;
    double acc = 0.0;
    for (int k = 0; k < K; ++k)
        acc += (double)A[row * K + k] * B[k * N + col];
    C[row * N + col] = (float)(alpha * acc);
}
