// Work-efficient exclusive scan (Blelloch), two elements per thread, padded against bank conflicts, in dynamic shared
// memory. Each block scans its own 2 * blockDim.x elements and leaves their total.

#define LOG_NUM_BANKS 5
#define PAD(n) ((n) >> LOG_NUM_BANKS)

__global__ void blelloch(int* __restrict__ data_out, const int* __restrict__ data_in, int* __restrict__ totals, int n) {
    extern __shared__ int temp[];

    const int thid = threadIdx.x;
    const int length = 2 * blockDim.x;
    const int base = blockIdx.x * length;
    const int ai = thid, bi = thid + blockDim.x;

    temp[ai + PAD(ai)] = base + ai < n ? data_in[base + ai] : 0;
    temp[bi + PAD(bi)] = base + bi < n ? data_in[base + bi] : 0;

    int offset = 1;
    for (int d = length >> 1; d > 0; d >>= 1) {
        __syncthreads();
        if (thid < d) {
            int a = offset * (2 * thid + 1) - 1;
            int b = offset * (2 * thid + 2) - 1;
            a += PAD(a);
            b += PAD(b);
            temp[b] += temp[a];
        }
        offset <<= 1;
    }

    if (thid == 0) {
        const int last = length - 1 + PAD(length - 1);
        totals[blockIdx.x] = temp[last];
        temp[last] = 0;
    }

    for (int d = 1; d < length; d *= 2) {
        offset >>= 1;
        __syncthreads();
        if (thid < d) {
            int a = offset * (2 * thid + 1) - 1;
            int b = offset * (2 * thid + 2) - 1;
            a += PAD(a);
            b += PAD(b);
            const int t = temp[a];
            temp[a] = temp[b];
            temp[b] += t;
        }
    }
    __syncthreads();

    if (base + ai < n) data_out[base + ai] = temp[ai + PAD(ai)];
    if (base + bi < n) data_out[base + bi] = temp[bi + PAD(bi)];
}
