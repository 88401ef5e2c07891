// Triangles at each vertex of a directed acyclic graph with sorted neighbour lists: merges of two lists.

__global__ void triangles(const int* __restrict__ row_ptr, const int* __restrict__ col, int* __restrict__ count, int n) {
    const int v = blockIdx.x * blockDim.x + threadIdx.x;
    if (v >= n)
        return;
    const int* v_begin = col + row_ptr[v];
    const int* v_end = col + row_ptr[v + 1];
    int found = 0;
    for (const int* p = v_begin; p < v_end; ++p) {
        const int u = *p;
        const int* a = v_begin;
        const int* b = col + row_ptr[u];
        const int* b_end = col + row_ptr[u + 1];
        while (a != v_end && b != b_end) {
            if (*a < *b) {
                ++a;
            } else if (*b < *a) {
                ++b;
            } else {
                ++found;
                ++a;
                ++b;
            }
        }
    }
    count[v] = found;
}
