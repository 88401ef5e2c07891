//: grid = ["rows"]
//: block = ["WG"]
//: WG = [4, 32]
// Each thread has a run of neighbouring columns; one thread combines, from the last to the first.
__kernel void softmax(__global const float* restrict x, __global float* restrict y, int cols) {
    __local float part[WG];
    __local float total;
    const int t = get_local_id(0);
    const int share = (cols + WG - 1) / WG;
    const int first = min(t * share, cols), last = min(first + share, cols);
    x += (size_t)get_group_id(0) * cols;
    y += (size_t)get_group_id(0) * cols;
    float peak = -FLT_MAX;
    for (int c = first; c < last; ++c)
        peak = fmax(peak, x[c]);
    part[t] = peak;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int i = 0; i < WG; ++i)
        peak = fmax(peak, part[i]);
    barrier(CLK_LOCAL_MEM_FENCE);
    float sum = 0.0f;
    for (int c = last - 1; c >= first; --c)
        sum += exp(x[c] - peak);
    part[t] = sum;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (t == 0) {
        float s = 0.0f;
        for (int i = WG - 1; i >= 0; --i)
            s += part[i];
        total = s;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int c = first; c < last; ++c)
        y[c] = exp(x[c] - peak) / total;
}
