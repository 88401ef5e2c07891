// Asynchronous copies as plain ones: what has been copied at once needs no wait. From the CUDA C++ Programming Guide.
#pragma once
template <typename T> __device__ inline void __pipeline_memcpy_async(T* to, const T* from, size_t bytes) {
    for (unsigned int i = 0; i < bytes / sizeof(T); ++i) to[i] = from[i];
}
__device__ void __pipeline_commit();
__device__ void __pipeline_wait_prior(size_t count);
