// Softmax of each row: one group a row, trees in local memory for the maximum and the sum.

#define BLOCK 256

__kernel void softmax(__global const float *x, __global float *y, int cols) {
    __local float s[BLOCK];
    const int t = get_local_id(0);
    __global const float *row_x = x + get_group_id(0) * cols;
    __global float *row_y = y + get_group_id(0) * cols;

    float peak = -INFINITY;
    for (int i = t; i < cols; i += BLOCK)
        peak = fmax(peak, row_x[i]);
    s[t] = peak;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int k = BLOCK / 2; k > 0; k /= 2) {
        if (t < k)
            s[t] = fmax(s[t], s[t + k]);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    peak = s[0];
    barrier(CLK_LOCAL_MEM_FENCE);

    float sum = 0.0f;
    for (int i = t; i < cols; i += BLOCK)
        sum += exp(row_x[i] - peak);
    s[t] = sum;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int k = BLOCK / 2; k > 0; k /= 2) {
        if (t < k)
            s[t] += s[t + k];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    const float scale = 1.0f / s[0];
    for (int i = t; i < cols; i += BLOCK)
        row_y[i] = exp(row_x[i] - peak) * scale;
}
