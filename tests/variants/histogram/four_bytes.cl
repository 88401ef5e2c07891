//: grid = ["min(cdiv(n, 1024), 16)"]
//: block = [64]
// Four neighbours a thread, the tail apart.
__kernel void histogram(__global const uchar* restrict data, __global uint* restrict hist, int n) {
    __local uint counts[256];
    for (int b = get_local_id(0); b < 256; b += 64)
        counts[b] = 0;
    barrier(CLK_LOCAL_MEM_FENCE);
    const int stride = 4 * get_global_size(0);
    int i = 4 * get_global_id(0);
    for (; i + 4 <= n; i += stride) {
        const uchar4 v = vload4(0, data + i);
        atomic_inc(&counts[v.x]);
        atomic_inc(&counts[v.y]);
        atomic_inc(&counts[v.z]);
        atomic_inc(&counts[v.w]);
    }
    for (; i < n; ++i)
        atomic_inc(&counts[data[i]]);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int b = get_local_id(0); b < 256; b += 64)
        atomic_add(&hist[b], counts[b]);
}
