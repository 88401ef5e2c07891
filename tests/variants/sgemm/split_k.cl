//: grid = ["N", "M"]
//: block = ["P"]
//: P = [4, 16]
// P threads share an element's products; a tree adds their sums.
__kernel void sgemm(__global const float* restrict A, __global const float* restrict B, __global float* restrict C, int M,
                    int N, int K, float alpha) {
    __local float part[P];
    const int t = get_local_id(0), col = get_group_id(0), row = get_group_id(1);
    float acc = 0.0f;
    for (int k = t; k < K; k += P)
        acc = fma(A[row * K + k], B[k * N + col], acc);
    part[t] = acc;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int s = P / 2; s > 0; s /= 2) {
        if (t < s)
            part[t] += part[t + s];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (t == 0)
        C[row * N + col] = alpha * part[0];
}
