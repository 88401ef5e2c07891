// One step of PageRank by pulling: new[v] = (1 - d) / n + d * sum over in-neighbours u of rank[u] / out_degree[u].
// The change goes to one number through a block reduction and a float atomic.

template <int BLOCK>
__global__ void pagerank_step(const int* __restrict__ in_ptr, const int* __restrict__ in, const int* __restrict__ out_degree,
                              const float* __restrict__ rank, float* __restrict__ next, float* delta, int n, float damping) {
    __shared__ float changes[BLOCK];
    const int v = blockIdx.x * BLOCK + threadIdx.x;

    float change = 0.0f;
    if (v < n) {
        float sum = 0.0f;
        for (int e = in_ptr[v]; e < in_ptr[v + 1]; ++e) {
            const int u = in[e];
            sum += rank[u] / out_degree[u];
        }
        const float value = (1.0f - damping) / n + damping * sum;
        next[v] = value;
        change = fabsf(value - rank[v]);
    }

    changes[threadIdx.x] = change;
    for (int half = BLOCK / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half)
            changes[threadIdx.x] += changes[threadIdx.x + half];
    }
    if (threadIdx.x == 0)
        atomicAdd(delta, changes[0]);
}
