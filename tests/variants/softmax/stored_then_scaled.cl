//: grid = ["rows"]
//: block = [1]
// The exponentials are kept in the output and scaled there: read again by the thread that wrote them.
__kernel void softmax(__global const float* restrict x, __global float* restrict y, int cols) {
    x += (size_t)get_group_id(0) * cols;
    y += (size_t)get_group_id(0) * cols;
    float peak = -FLT_MAX, total = 0.0f;
    for (int c = cols - 1; c >= 0; --c)
        peak = fmax(peak, x[c]);
    for (int c = cols - 1; c >= 0; --c) {
        const float e = exp(x[c] - peak);
        y[c] = e;
        total += e;
    }
    for (int c = 0; c < cols; ++c)
        y[c] /= total;
}
