//: grid = ["min(cdiv(n, 256), 8)"]
//: block = ["64"]
//: C = [2, 8]
// C copies of the bins, by thread, against crowded bins.
__kernel void histogram(__global const uchar* restrict data, __global uint* restrict hist, int n) {
    __local uint counts[C][256];
    const int t = get_local_id(0), stride = get_global_size(0);
    for (int b = t; b < 256 * C; b += 64)
        counts[b / 256][b % 256] = 0;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int i = get_global_id(0); i < n; i += stride)
        atomic_add(&counts[t % C][data[i]], 1u);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int b = t; b < 256; b += 64) {
        uint sum = 0;
        for (int c = 0; c < C; ++c)
            sum += counts[c][b];
        atomic_add(&hist[b], sum);
    }
}
