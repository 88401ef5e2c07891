//: grid = ["rows"]
//: block = [1]
// Four running maxima and sums, vectors of unaligned columns, the tail apart.
__kernel void softmax(__global const float* restrict x, __global float* restrict y, int cols) {
    x += (size_t)get_group_id(0) * cols;
    y += (size_t)get_group_id(0) * cols;
    float peaks[4], sums[4];
    for (int k = 0; k < 4; ++k) {
        peaks[k] = -FLT_MAX;
        sums[k] = 0.0f;
    }
    int c = 0;
    for (; c + 4 <= cols; c += 4)
        for (int k = 0; k < 4; ++k)
            peaks[k] = fmax(peaks[k], x[c + k]);
    float peak = fmax(fmax(peaks[0], peaks[1]), fmax(peaks[2], peaks[3]));
    for (; c < cols; ++c)
        peak = fmax(peak, x[c]);
    for (c = 0; c + 4 <= cols; c += 4)
        for (int k = 0; k < 4; ++k)
            sums[k] += exp(x[c + k] - peak);
    float total = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    for (; c < cols; ++c)
        total += exp(x[c] - peak);
    for (c = 0; c < cols; ++c)
        y[c] = exp(x[c] - peak) / total;
}
