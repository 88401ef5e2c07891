// Cooperative groups of threads of one block, in plain CUDA: their members are ported like the author's own code. From the
// CUDA C++ Programming Guide, cooperative groups. A group holds nothing: all that it says follows from the thread's index.
#pragma once

__device__ void gp_grid_sync();

namespace cooperative_groups {

struct thread_block {
    __device__ void sync() const { __syncthreads(); }
    __device__ unsigned int thread_rank() const {
        return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    }
    __device__ unsigned int size() const { return blockDim.x * blockDim.y * blockDim.z; }
    __device__ unsigned int num_threads() const { return blockDim.x * blockDim.y * blockDim.z; }
    __device__ dim3 group_index() const { return dim3(blockIdx.x, blockIdx.y, blockIdx.z); }
    __device__ dim3 thread_index() const { return dim3(threadIdx.x, threadIdx.y, threadIdx.z); }
    __device__ dim3 group_dim() const { return dim3(blockDim.x, blockDim.y, blockDim.z); }
    __device__ dim3 dim_threads() const { return dim3(blockDim.x, blockDim.y, blockDim.z); }
};
__device__ inline thread_block this_thread_block() { return thread_block(); }

struct grid_group {
    __device__ void sync() const { gp_grid_sync(); }
    __device__ unsigned long long thread_rank() const {
        const unsigned long long block = blockIdx.x + (unsigned long long)gridDim.x * (blockIdx.y + (unsigned long long)gridDim.y * blockIdx.z);
        return block * (blockDim.x * blockDim.y * blockDim.z) + threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    }
    __device__ unsigned long long size() const {
        return (unsigned long long)gridDim.x * gridDim.y * gridDim.z * (blockDim.x * blockDim.y * blockDim.z);
    }
    __device__ unsigned long long num_threads() const { return size(); }
    __device__ bool is_valid() const { return true; }
};
__device__ inline grid_group this_grid() { return grid_group(); }

// the lanes of a tile, as a mask of the warp
#ifdef __HIP__  // all lanes that are active, of which votes keep those of the tile
#define GP_TILE 0xffffffffu
#define GP_OF_TILE(bits) ((bits) >> ((unsigned int)gp_lane_id() & ~(N - 1u) & 31u) & (N == 32 ? 0xffffffffu : (1u << (N & 31u)) - 1u))
#else
#define GP_TILE (N == 32 ? 0xffffffffu : ((1u << (N & 31u)) - 1u) << ((unsigned int)gp_lane_id() & ~(N - 1u)))
#define GP_OF_TILE(bits) ((bits) >> ((unsigned int)gp_lane_id() & ~(N - 1u) & 31u))
#endif
template <unsigned int N, typename Parent = void> struct thread_block_tile {
    static_assert(N <= 32 && (N & (N - 1)) == 0, "gpuport knows tiles of 1, 2, 4, 8, 16 and 32 threads");
    thread_block_tile() = default;
    template <typename P> __device__ thread_block_tile(const thread_block_tile<N, P>&) {}
    __device__ void sync() const { __syncwarp(GP_TILE); }
    __device__ unsigned int thread_rank() const { return (unsigned int)gp_lane_id() % N; }
    __device__ unsigned int size() const { return N; }
    __device__ unsigned int num_threads() const { return N; }
    __device__ unsigned int meta_group_rank() const {
        return (threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) / N;
    }
    __device__ unsigned int meta_group_size() const { return (blockDim.x * blockDim.y * blockDim.z + N - 1u) / N; }
    template <typename T> __device__ T shfl(T v, int lane) const { return __shfl_sync(GP_TILE, v, lane, N); }
    template <typename T> __device__ T shfl_up(T v, unsigned int by) const { return __shfl_up_sync(GP_TILE, v, by, N); }
    template <typename T> __device__ T shfl_down(T v, unsigned int by) const { return __shfl_down_sync(GP_TILE, v, by, N); }
    template <typename T> __device__ T shfl_xor(T v, int by) const { return __shfl_xor_sync(GP_TILE, v, by, N); }
#ifdef __HIP__
    __device__ int any(int predicate) const { return ballot(predicate) != 0u; }
    __device__ int all(int predicate) const { return ballot(!predicate) == 0u; }
#else
    __device__ int any(int predicate) const { return __any_sync(GP_TILE, predicate); }
    __device__ int all(int predicate) const { return __all_sync(GP_TILE, predicate); }
#endif
    __device__ unsigned int ballot(int predicate) const {
        return GP_OF_TILE(__ballot_sync(GP_TILE, predicate));
    }
#ifndef __HIP__  // lanes that are not active would count as ones with 0
    template <typename T> __device__ unsigned int match_any(T v) const {
        return GP_OF_TILE(__match_any_sync(GP_TILE, v));
    }
#endif
};
template <unsigned int N, typename G> __device__ inline thread_block_tile<N, G> tiled_partition(const G& group) {
    return thread_block_tile<N, G>();
}

// the lanes of a warp that a mask names, ranked from the lowest
struct coalesced_group {
    unsigned int lanes;
    __device__ unsigned int size() const { return (unsigned int)__popc(lanes); }
    __device__ unsigned int num_threads() const { return (unsigned int)__popc(lanes); }
    __device__ unsigned int thread_rank() const {
        return (unsigned int)__popc(lanes & ((1u << ((unsigned int)gp_lane_id() & 31u)) - 1u));
    }
    // the lane of a rank: without as many of the lowest lanes, the lowest
    __device__ unsigned int gp_lane_of(unsigned int rank) const {
        unsigned int rest = lanes;
        for (unsigned int i = 0u; i < rank; ++i) rest &= rest - 1u;
        return (unsigned int)__ffs((int)rest) - 1u;
    }
    // of the bits of the lanes, those of the ranks
    __device__ unsigned int gp_ranks(unsigned int bits) const {
        unsigned int rest = lanes, found = 0u;
        for (unsigned int rank = 0u; rest != 0u; ++rank) {
            if ((bits & rest & (0u - rest)) != 0u) found |= 1u << rank;
            rest &= rest - 1u;
        }
        return found;
    }
    __device__ void sync() const { __syncwarp(lanes); }
    template <typename T> __device__ T shfl(T v, unsigned int rank) const {
        return __shfl_sync(lanes, v, (int)gp_lane_of(rank % size()));
    }
    template <typename T> __device__ T shfl_up(T v, unsigned int by) const {
        const unsigned int own = thread_rank();
        return __shfl_sync(lanes, v, (int)gp_lane_of(own >= by ? own - by : own));
    }
    template <typename T> __device__ T shfl_down(T v, unsigned int by) const {
        const unsigned int own = thread_rank();
        return __shfl_sync(lanes, v, (int)gp_lane_of(own + by < size() ? own + by : own));
    }
    __device__ int any(int predicate) const { return __any_sync(lanes, predicate); }
    __device__ int all(int predicate) const { return __all_sync(lanes, predicate); }
    __device__ unsigned int ballot(int predicate) const { return gp_ranks(__ballot_sync(lanes, predicate)); }
    template <typename T> __device__ unsigned int match_any(T v) const { return gp_ranks(__match_any_sync(lanes, v)); }
};
typedef coalesced_group thread_group;
__device__ inline coalesced_group gp_group(unsigned int lanes) {
    coalesced_group made;
    made.lanes = lanes;
    return made;
}
#ifdef __HIP__  // where a wave may have 64 lanes: known, and refused with a reason
__device__ coalesced_group coalesced_threads();
__device__ coalesced_group tiled_partition(const thread_block& group, unsigned int size);
template <typename G> __device__ coalesced_group binary_partition(const G& group, bool predicate);
template <typename G, typename T> __device__ coalesced_group labeled_partition(const G& group, T label);
#else
__device__ inline coalesced_group coalesced_threads() { return gp_group(__activemask()); }
// a tile whose size, a power of two up to 32, is known when it runs
__device__ inline coalesced_group tiled_partition(const thread_block& group, unsigned int size) {
    const unsigned int lane = (unsigned int)gp_lane_id() & 31u;
    return gp_group(size >= 32u ? 0xffffffffu : ((1u << (size & 31u)) - 1u) << (lane & ~(size - 1u)));
}
// those of a group that have the same predicate or label
template <unsigned int N, typename P>
__device__ inline coalesced_group binary_partition(const thread_block_tile<N, P>& tile, bool predicate) {
    const unsigned int yes = __ballot_sync(GP_TILE, predicate);
    return gp_group(GP_TILE & (predicate ? yes : ~yes));
}
__device__ inline coalesced_group binary_partition(const coalesced_group& group, bool predicate) {
    const unsigned int yes = __ballot_sync(group.lanes, predicate);
    return gp_group(group.lanes & (predicate ? yes : ~yes));
}
template <unsigned int N, typename P, typename T>
__device__ inline coalesced_group labeled_partition(const thread_block_tile<N, P>& tile, T label) {
    return gp_group(__match_any_sync(GP_TILE, label));
}
template <typename T> __device__ inline coalesced_group labeled_partition(const coalesced_group& group, T label) {
    return gp_group(__match_any_sync(group.lanes, label));
}
#endif
#undef GP_OF_TILE
#undef GP_TILE

template <typename G> __device__ inline void sync(const G& group) { group.sync(); }

template <typename T> struct plus { __device__ T operator()(T a, T b) const { return a + b; } };
template <typename T> struct less { __device__ T operator()(T a, T b) const { return b < a ? b : a; } };
template <typename T> struct greater { __device__ T operator()(T a, T b) const { return a < b ? b : a; } };
template <typename T> struct bit_and { __device__ T operator()(T a, T b) const { return a & b; } };
template <typename T> struct bit_or { __device__ T operator()(T a, T b) const { return a | b; } };
template <typename T> struct bit_xor { __device__ T operator()(T a, T b) const { return a ^ b; } };

// the combination of the tile's values, in every thread
template <unsigned int N, typename P, typename T, typename Op>
__device__ inline T reduce(const thread_block_tile<N, P>& tile, T v, Op op) {
    for (int by = (int)N >> 1; by > 0; by >>= 1) v = op(v, tile.shfl_xor(v, by));
    return v;
}
// the combination of the values up to this thread's own
template <unsigned int N, typename P, typename T, typename Op>
__device__ inline T inclusive_scan(const thread_block_tile<N, P>& tile, T v, Op op) {
    for (unsigned int by = 1; by < N; by *= 2) {
        const T before = tile.shfl_up(v, by);
        if (tile.thread_rank() >= by) v = op(before, v);
    }
    return v;
}
template <unsigned int N, typename P, typename T>
__device__ inline T inclusive_scan(const thread_block_tile<N, P>& tile, T v) {
    return inclusive_scan(tile, v, plus<T>());
}
// the combination of the values before this thread's own; nothing in the first
template <unsigned int N, typename P, typename T, typename Op>
__device__ inline T exclusive_scan(const thread_block_tile<N, P>& tile, T v, Op op) {
    const T before = tile.shfl_up(inclusive_scan(tile, v, op), 1u);
    return tile.thread_rank() == 0u ? T(0) : before;
}
template <unsigned int N, typename P, typename T>
__device__ inline T exclusive_scan(const thread_block_tile<N, P>& tile, T v) {
    return exclusive_scan(tile, v, plus<T>());
}

// the same of a coalesced group: as many rounds as a full warp takes, so that all warps count alike
template <typename T, typename Op> __device__ inline T reduce(const coalesced_group& group, T v, Op op) {
    for (unsigned int by = 1u; by < 32u; by *= 2u) {
        const T other = group.shfl_down(v, by);
        if (group.thread_rank() + by < group.size()) v = op(v, other);
    }
    return group.shfl(v, 0u);
}
template <typename T, typename Op> __device__ inline T inclusive_scan(const coalesced_group& group, T v, Op op) {
    for (unsigned int by = 1u; by < 32u; by *= 2u) {
        const T before = group.shfl_up(v, by);
        if (group.thread_rank() >= by) v = op(before, v);
    }
    return v;
}
template <typename T> __device__ inline T inclusive_scan(const coalesced_group& group, T v) {
    return inclusive_scan(group, v, plus<T>());
}
template <typename T, typename Op> __device__ inline T exclusive_scan(const coalesced_group& group, T v, Op op) {
    const T before = group.shfl_up(inclusive_scan(group, v, op), 1u);
    return group.thread_rank() == 0u ? T(0) : before;
}
template <typename T> __device__ inline T exclusive_scan(const coalesced_group& group, T v) {
    return exclusive_scan(group, v, plus<T>());
}

// copied by the threads of the group, one element each in turn, and what is left by the byte; `wait` is a barrier
template <typename G, typename T>
__device__ inline void memcpy_async(const G& group, T* to, const T* from, size_t bytes) {
    for (unsigned int i = group.thread_rank(); i < bytes / sizeof(T); i += group.size()) to[i] = from[i];
    if constexpr (sizeof(T) > 1) {
        for (unsigned int i = bytes / sizeof(T) * sizeof(T) + group.thread_rank(); i < bytes; i += group.size())
            ((unsigned char*)to)[i] = ((const unsigned char*)from)[i];
    }
}
template <typename G> __device__ inline void wait(const G& group) { group.sync(); }
template <unsigned int Prior, typename G> __device__ inline void wait_prior(const G& group) { group.sync(); }

}  // namespace cooperative_groups
