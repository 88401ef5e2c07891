// Merges two sorted arrays: each element finds its place by a binary search in the other array. Equal elements of `a`
// come before those of `b`, so the merge is stable.

template <bool BEFORE_EQUALS>
__device__ int rank_in(const float* sorted, int n, float key) {
    int low = 0, high = n;
    while (low < high) {
        const int mid = (low + high) / 2;
        const bool go_right = BEFORE_EQUALS ? sorted[mid] < key : sorted[mid] <= key;
        if (go_right)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

__global__ void merge_ranks(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ merged, int na,
                            int nb) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < na) {
        merged[i + rank_in<true>(b, nb, a[i])] = a[i];
    } else if (i < na + nb) {
        const int k = i - na;
        merged[k + rank_in<false>(a, na, b[k])] = b[k];
    }
}
