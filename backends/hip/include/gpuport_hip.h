// Declarations of HIP's device language for gpuport's reader: what it has beyond CUDA's names in gpuport_cuda.h. Written
// from the HIP programming guide and clang's list of AMDGPU builtins; nothing here is ever compiled to code.
#pragma once
#include "gpuport_cuda.h"

typedef struct ihipStream_t* hipStream_t;
typedef struct ihipEvent_t* hipEvent_t;
// the names of HIP's first years
#define hipThreadIdx_x threadIdx.x
#define hipThreadIdx_y threadIdx.y
#define hipThreadIdx_z threadIdx.z
#define hipBlockIdx_x blockIdx.x
#define hipBlockIdx_y blockIdx.y
#define hipBlockIdx_z blockIdx.z
#define hipBlockDim_x blockDim.x
#define hipBlockDim_y blockDim.y
#define hipBlockDim_z blockDim.z
#define hipGridDim_x gridDim.x
#define hipGridDim_y gridDim.y
#define hipGridDim_z gridDim.z

#define __HIP_DEVICE_COMPILE__ 1
#define HIP_DYNAMIC_SHARED(type, var) extern __shared__ type var[];

#define GP_SHFL(T)                                                                                                     \
    __device__ T __shfl(T v, int lane, int width = 0);                                                                 \
    __device__ T __shfl_up(T v, unsigned int delta, int width = 0);                                                    \
    __device__ T __shfl_down(T v, unsigned int delta, int width = 0);                                                  \
    __device__ T __shfl_xor(T v, int lane, int width = 0);
GP_SHFL(int)
GP_SHFL(unsigned int)
GP_SHFL(long)
GP_SHFL(unsigned long)
GP_SHFL(long long)
GP_SHFL(unsigned long long)
GP_SHFL(float)
GP_SHFL(double)
#undef GP_SHFL
__device__ int __any(int predicate);
__device__ int __all(int predicate);
__device__ unsigned long long __ballot(int predicate);
__device__ unsigned int __lane_id();
