// Online softmax: maximum and sum of a row in one pass, as a pair that can be combined in any order (Milakov and
// Gimelshein). The pairs of a block are reduced as a struct.

struct __align__(8) MD {
    float m;
    float d;
};

__device__ __forceinline__ MD combine(MD a, MD b) {
    const bool a_bigger = a.m > b.m;
    const MD bigger = a_bigger ? a : b;
    const MD smaller = a_bigger ? b : a;
    MD res;
    res.d = bigger.d + smaller.d * __expf(smaller.m - bigger.m);
    res.m = bigger.m;
    return res;
}

template <int THREADS>
__global__ void softmax_online(const float* __restrict__ x, float* __restrict__ y, int V) {
    x += blockIdx.x * V;
    y += blockIdx.x * V;

    __shared__ MD pairs[THREADS];

    MD partial;
    partial.m = -1e30f;
    partial.d = 0.0f;
    for (int i = threadIdx.x; i < V; i += THREADS) {
        MD element;
        element.m = x[i];
        element.d = 1.0f;
        partial = combine(partial, element);
    }
    pairs[threadIdx.x] = partial;
    __syncthreads();

    for (int k = THREADS / 2; k > 0; k >>= 1) {
        if (threadIdx.x < k)
            pairs[threadIdx.x] = combine(pairs[threadIdx.x], pairs[threadIdx.x + k]);
        __syncthreads();
    }

    const MD total = pairs[0];
    const float d_inverse = __fdividef(1.0f, total.d);
    for (int i = threadIdx.x; i < V; i += THREADS)
        y[i] = __expf(x[i] - total.m) * d_inverse;
}
