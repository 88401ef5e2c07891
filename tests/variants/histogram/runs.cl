//: grid = ["min(cdiv(n, 512), 16)"]
//: block = ["WG"]
//: WG = [32, 128]
// A thread has a run of bytes and adds once for equal neighbours.
__kernel void histogram(__global const uchar* restrict data, __global uint* restrict hist, int n) {
    __local uint counts[256];
    const int threads = get_global_size(0);
    for (int b = get_local_id(0); b < 256; b += WG)
        counts[b] = 0;
    barrier(CLK_LOCAL_MEM_FENCE);
    const int share = (n + threads - 1) / threads;
    const int first = min((int)get_global_id(0) * share, n), last = min(first + share, n);
    uint count = 0;
    for (int i = first; i < last; ++i) {
        ++count;
        if (i + 1 == last || data[i + 1] != data[i]) {
            atomic_add(&counts[data[i]], count);
            count = 0;
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int b = get_local_id(0); b < 256; b += WG)
        if (counts[b])
            atomic_add(&hist[b], counts[b]);
}
