//: grid = ["cdiv(rows, 1)"]
//: block = [1, "R"]
//: R = [2, 16]
// R threads share a row, two halves by parity, in the second dimension.
__kernel void softmax(__global const float* restrict x, __global float* restrict y, int cols) {
    __local float part[R];
    const int t = get_local_id(1);
    x += (size_t)get_group_id(0) * cols;
    y += (size_t)get_group_id(0) * cols;
    float peak = -FLT_MAX;
    for (int c = 0; c < cols; ++c)
        peak = fmax(peak, x[c]);
    float sum = 0.0f;
    for (int c = t; c < cols; c += R)
        sum += exp(x[c] - peak);
    part[t] = sum;
    barrier(CLK_LOCAL_MEM_FENCE);
    float total = 0.0f;
    for (int i = 0; i < R; ++i)
        total += part[i];
    for (int c = t; c < cols; c += R)
        y[c] = exp(x[c] - peak) * (1.0f / total);
}
