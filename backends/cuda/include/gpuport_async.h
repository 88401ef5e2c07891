// Asynchronous copies as plain ones: a copy that is done when it is asked for is one that CUDA allows, and what is left of
// waiting for it is the barrier. From the CUDA C++ Programming Guide, asynchronous data copies and barriers.
#pragma once
#include "gpuport_cooperative_groups.h"

// copied at once, of `bytes` from `from` all but the last `zeros`, which become 0
template <typename T, typename U>
__device__ void __pipeline_memcpy_async(T* to, const U* from, size_t bytes, size_t zeros = 0);
__device__ void __pipeline_commit();
__device__ void __pipeline_wait_prior(size_t count);

// a group of the thread alone
struct gp_one {
    __device__ unsigned int thread_rank() const { return 0u; }
    __device__ unsigned int size() const { return 1u; }
};

namespace std {
template <typename T> __device__ constexpr T&& move(T& t) { return static_cast<T&&>(t); }
}  // namespace std

namespace cuda {

enum thread_scope { thread_scope_system, thread_scope_device, thread_scope_block, thread_scope_thread };

// a number of bytes, with what is known of the alignment
template <size_t Alignment> struct aligned_size_t {
    size_t value;
    __device__ constexpr explicit aligned_size_t(size_t bytes) : value(bytes) {}
};

struct gp_arrival {};
// a barrier for all threads of the block
template <thread_scope Scope> struct barrier {
    typedef gp_arrival arrival_token;
    __device__ void arrive_and_wait() const { __syncthreads(); }
    // an arrival orders what comes before it, as the wait does for all that have arrived
    __device__ arrival_token arrive() const { return arrival_token(); }
    __device__ void wait(const arrival_token& token) const { __syncthreads(); }
    __device__ void arrive_and_drop() const;
};
template <thread_scope Scope> __device__ void init(barrier<Scope>* made, size_t expected);

template <thread_scope Scope, unsigned int Stages> struct pipeline_shared_state {};

// all threads of a pipeline's group both produce and consume: of the waiting, a barrier is left where they share it
template <thread_scope Scope> struct pipeline {
    __device__ void producer_acquire() const {
        if constexpr (Scope != thread_scope_thread) __syncthreads();
    }
    __device__ void producer_commit() const {}
    __device__ void consumer_wait() const {
        if constexpr (Scope != thread_scope_thread) __syncthreads();
    }
    __device__ void consumer_release() const {}
    __device__ bool quit() const;
};
enum class pipeline_role { producer, consumer };

__device__ inline pipeline<thread_scope_thread> make_pipeline() { return pipeline<thread_scope_thread>(); }
template <thread_scope Scope, unsigned int Stages>
__device__ inline pipeline<Scope> make_pipeline(const cooperative_groups::thread_block& group, pipeline_shared_state<Scope, Stages>* state) {
    return pipeline<Scope>();
}
// known, and refused with a reason
template <typename G, thread_scope Scope, unsigned int Stages>
__device__ pipeline<Scope> make_pipeline(const G& group, pipeline_shared_state<Scope, Stages>* state);
template <typename G, thread_scope Scope, unsigned int Stages>
__device__ pipeline<Scope> make_pipeline(const G& group, pipeline_shared_state<Scope, Stages>* state, pipeline_role role);
template <typename G, thread_scope Scope, unsigned int Stages>
__device__ pipeline<Scope> make_pipeline(const G& group, pipeline_shared_state<Scope, Stages>* state, size_t producers);

template <unsigned int Prior> __device__ inline void pipeline_consumer_wait_prior(const pipeline<thread_scope_thread>& made) {}

// by one thread, or by the threads of a group in turn
template <typename T, typename Done> __device__ inline void memcpy_async(T* to, const T* from, size_t bytes, const Done& done) {
    cooperative_groups::memcpy_async(gp_one(), to, from, bytes);
}
template <typename T, size_t A, typename Done>
__device__ inline void memcpy_async(T* to, const T* from, aligned_size_t<A> bytes, const Done& done) {
    cooperative_groups::memcpy_async(gp_one(), to, from, bytes.value);
}
template <typename G, typename T, typename Done>
__device__ inline void memcpy_async(const G& group, T* to, const T* from, size_t bytes, const Done& done) {
    cooperative_groups::memcpy_async(group, to, from, bytes);
}
template <typename G, typename T, size_t A, typename Done>
__device__ inline void memcpy_async(const G& group, T* to, const T* from, aligned_size_t<A> bytes, const Done& done) {
    cooperative_groups::memcpy_async(group, to, from, bytes.value);
}

}  // namespace cuda

namespace cooperative_groups {
template <typename G, typename T, size_t A>
__device__ inline void memcpy_async(const G& group, T* to, const T* from, cuda::aligned_size_t<A> bytes) {
    memcpy_async(group, to, from, bytes.value);
}
// as many elements as both have
template <typename G, typename T>
__device__ inline void memcpy_async(const G& group, T* to, size_t to_count, const T* from, size_t from_count) {
    memcpy_async(group, to, from, (to_count < from_count ? to_count : from_count) * sizeof(T));
}
}  // namespace cooperative_groups
