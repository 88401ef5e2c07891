// Declarations of the CUDA device language for gpuport's reader: names and types only, nothing here is ever compiled to
// code. Written from the CUDA C++ Programming Guide and the CUDA Math API.
#pragma once

#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __host__ __attribute__((host))
#define __shared__ __attribute__((shared))
#define __constant__ __attribute__((constant))
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __inline__ inline
#define __restrict__ __restrict
#define __align__(n) __attribute__((aligned(n)))
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))
#define __grid_constant__

#define CUDART_INF_F __builtin_huge_valf()
#define CUDART_NAN_F __builtin_nanf("")
#define INFINITY __builtin_huge_valf()
#define NAN __builtin_nanf("")
#define FLT_MAX 3.402823466e+38f
#define FLT_MIN 1.175494351e-38f
#define FLT_EPSILON 1.192092896e-07f
#define DBL_MAX 1.7976931348623158e+308
#define DBL_MIN 2.2250738585072014e-308
#define DBL_EPSILON 2.2204460492503131e-16
#define INT_MAX 2147483647
#define INT_MIN (-2147483647 - 1)
#define UINT_MAX 4294967295u
#define LLONG_MAX 9223372036854775807LL
#define CHAR_BIT 8
#define M_PI 3.14159265358979323846
#define M_PI_F 3.14159265358979323846f
#define M_E 2.7182818284590452354
#define M_LOG2E 1.4426950408889634074
#define M_LN2 0.69314718055994530942
#define M_SQRT2 1.41421356237309504880
#define M_SQRT1_2 0.70710678118654752440

typedef unsigned long size_t;
typedef long ptrdiff_t;
typedef signed char int8_t;
typedef short int16_t;
typedef int int32_t;
typedef long int64_t;
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long uint64_t;
typedef unsigned long uintptr_t;
typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;

#define GP_VECTOR(T, N, A2, A4)                                                                                        \
    struct __attribute__((aligned(A2))) N##2 { T x, y; };                                                              \
    struct N##3 { T x, y, z; };                                                                                        \
    struct __attribute__((aligned(A4))) N##4 { T x, y, z, w; };                                                        \
    __device__ N##2 make_##N##2(T x, T y);                                                                             \
    __device__ N##3 make_##N##3(T x, T y, T z);                                                                        \
    __device__ N##4 make_##N##4(T x, T y, T z, T w);
GP_VECTOR(signed char, char, 2, 4)
GP_VECTOR(unsigned char, uchar, 2, 4)
GP_VECTOR(short, short, 4, 8)
GP_VECTOR(unsigned short, ushort, 4, 8)
GP_VECTOR(int, int, 8, 16)
GP_VECTOR(unsigned int, uint, 8, 16)
GP_VECTOR(long, long, 16, 16)
GP_VECTOR(unsigned long, ulong, 16, 16)
GP_VECTOR(long long, longlong, 16, 16)
GP_VECTOR(unsigned long long, ulonglong, 16, 16)
GP_VECTOR(float, float, 8, 16)
GP_VECTOR(double, double, 16, 16)
#undef GP_VECTOR

struct dim3 {
    unsigned int x, y, z;
    __host__ __device__ constexpr dim3(unsigned int vx = 1, unsigned int vy = 1, unsigned int vz = 1) : x(vx), y(vy), z(vz) {}
};

// what declarations of host functions name in files and headers that device code shares
typedef struct CUstream_st* cudaStream_t;
typedef struct CUevent_st* cudaEvent_t;

extern const __device__ uint3 threadIdx;
extern const __device__ uint3 blockIdx;
extern const __device__ uint3 blockDim;
extern const __device__ uint3 gridDim;
extern const __device__ int warpSize;

__device__ void memcpy(void* to, const void* from, size_t bytes);
__device__ void __syncthreads();
__device__ void __syncwarp(unsigned mask = 0xffffffffu);
__device__ void __threadfence();
__device__ void __threadfence_block();
__device__ void __threadfence_system();
__device__ int gp_lane_id();
__device__ size_t __cvta_generic_to_shared(const void* pointer);
__device__ const void* __cvta_generic_to_global(const void* pointer);

#define GP_SHFL(T)                                                                                                     \
    __device__ T __shfl_sync(unsigned mask, T v, int lane, int width = 32);                                            \
    __device__ T __shfl_up_sync(unsigned mask, T v, unsigned delta, int width = 32);                                   \
    __device__ T __shfl_down_sync(unsigned mask, T v, unsigned delta, int width = 32);                                 \
    __device__ T __shfl_xor_sync(unsigned mask, T v, int lane, int width = 32);
GP_SHFL(int)
GP_SHFL(unsigned int)
GP_SHFL(long)
GP_SHFL(unsigned long)
GP_SHFL(long long)
GP_SHFL(unsigned long long)
GP_SHFL(float)
GP_SHFL(double)
#undef GP_SHFL
__device__ int __any_sync(unsigned mask, int predicate);
__device__ int __all_sync(unsigned mask, int predicate);
__device__ unsigned __ballot_sync(unsigned mask, int predicate);
__device__ unsigned __activemask();

#define GP_ATOMIC(F, T)                                                                                                \
    __device__ T F(T* address, T value);                                                                               \
    __device__ T F##_block(T* address, T value);                                                                       \
    __device__ T F##_system(T* address, T value);
#define GP_ATOMIC_INTS(F)                                                                                              \
    GP_ATOMIC(F, int)                                                                                                  \
    GP_ATOMIC(F, unsigned int)                                                                                         \
    GP_ATOMIC(F, unsigned long long)
GP_ATOMIC_INTS(atomicAdd)
GP_ATOMIC(atomicAdd, float)
GP_ATOMIC(atomicAdd, double)
GP_ATOMIC(atomicSub, int)
GP_ATOMIC(atomicSub, unsigned int)
GP_ATOMIC_INTS(atomicExch)
GP_ATOMIC(atomicExch, float)
GP_ATOMIC_INTS(atomicMin)
GP_ATOMIC(atomicMin, long long)
GP_ATOMIC_INTS(atomicMax)
GP_ATOMIC(atomicMax, long long)
GP_ATOMIC_INTS(atomicAnd)
GP_ATOMIC_INTS(atomicOr)
GP_ATOMIC_INTS(atomicXor)
#undef GP_ATOMIC_INTS
#undef GP_ATOMIC
#define GP_CAS(T)                                                                                                      \
    __device__ T atomicCAS(T* address, T compare, T value);                                                            \
    __device__ T atomicCAS_block(T* address, T compare, T value);                                                      \
    __device__ T atomicCAS_system(T* address, T compare, T value);
GP_CAS(int) GP_CAS(unsigned int) GP_CAS(unsigned long long) GP_CAS(unsigned short)
#undef GP_CAS

#define GP_MATH1(F)                                                                                                    \
    extern "C" __device__ float F##f(float);                                                                           \
    extern "C" __device__ double F(double);                                                                            \
    __device__ float F(float);
GP_MATH1(exp) GP_MATH1(exp2) GP_MATH1(exp10) GP_MATH1(expm1) GP_MATH1(log) GP_MATH1(log2) GP_MATH1(log10)
GP_MATH1(log1p) GP_MATH1(sqrt) GP_MATH1(rsqrt) GP_MATH1(cbrt) GP_MATH1(sin) GP_MATH1(cos) GP_MATH1(tan) GP_MATH1(asin)
GP_MATH1(acos) GP_MATH1(atan) GP_MATH1(sinh) GP_MATH1(cosh) GP_MATH1(tanh) GP_MATH1(asinh) GP_MATH1(acosh)
GP_MATH1(atanh) GP_MATH1(erf) GP_MATH1(erfc) GP_MATH1(floor) GP_MATH1(ceil) GP_MATH1(trunc) GP_MATH1(round)
GP_MATH1(rint) GP_MATH1(nearbyint) GP_MATH1(fabs)
#undef GP_MATH1
#define GP_MATH2(F)                                                                                                    \
    extern "C" __device__ float F##f(float, float);                                                                    \
    extern "C" __device__ double F(double, double);                                                                    \
    __device__ float F(float, float);
GP_MATH2(pow) GP_MATH2(fmod) GP_MATH2(fmin) GP_MATH2(fmax) GP_MATH2(fdim) GP_MATH2(atan2) GP_MATH2(hypot)
GP_MATH2(copysign)
#undef GP_MATH2
extern "C" __device__ float fmaf(float, float, float);
extern "C" __device__ double fma(double, double, double);
__device__ float fma(float, float, float);
extern "C" __device__ float ldexpf(float, int);
extern "C" __device__ double ldexp(double, int);
__device__ float ldexp(float, int);
__device__ double pow(double, int);
__device__ float pow(float, int);
__device__ bool isnan(float);
__device__ bool isnan(double);
__device__ bool isinf(float);
__device__ bool isinf(double);
__device__ bool isfinite(float);
__device__ bool isfinite(double);
__device__ bool signbit(float);
__device__ bool signbit(double);

#define GP_MINMAX(T)                                                                                                   \
    __device__ T min(T, T);                                                                                            \
    __device__ T max(T, T);
GP_MINMAX(int) GP_MINMAX(unsigned int) GP_MINMAX(long) GP_MINMAX(unsigned long) GP_MINMAX(long long)
GP_MINMAX(unsigned long long) GP_MINMAX(float) GP_MINMAX(double)
#undef GP_MINMAX
// mixed operands: CUDA's math_functions.hpp gives the unsigned or the wider type
#define GP_MIXED(F, R, A, B)                                                                                           \
    __device__ R F(A, B);                                                                                              \
    __device__ R F(B, A);
GP_MIXED(min, unsigned int, int, unsigned int) GP_MIXED(max, unsigned int, int, unsigned int)
GP_MIXED(min, unsigned long long, long long, unsigned long long)
GP_MIXED(max, unsigned long long, long long, unsigned long long)
GP_MIXED(min, double, float, double) GP_MIXED(max, double, float, double)
#undef GP_MIXED
extern "C" __device__ int abs(int);
extern "C" __device__ long labs(long);
extern "C" __device__ long long llabs(long long);
__device__ long abs(long);
__device__ long long abs(long long);
__device__ float abs(float);
__device__ double abs(double);

__device__ float __expf(float);
__device__ float __exp10f(float);
__device__ float __logf(float);
__device__ float __log2f(float);
__device__ float __log10f(float);
__device__ float __sinf(float);
__device__ float __cosf(float);
__device__ float __tanf(float);
__device__ float __powf(float, float);
__device__ float __fdividef(float, float);
__device__ float fdividef(float, float);
__device__ float __fsqrt_rn(float);
__device__ float __frcp_rn(float);
__device__ float __fadd_rn(float, float);
__device__ float __fsub_rn(float, float);
__device__ float __fmul_rn(float, float);
__device__ float __fdiv_rn(float, float);
__device__ float __fmaf_rn(float, float, float);
__device__ double __dadd_rn(double, double);
__device__ double __dmul_rn(double, double);
__device__ double __dsub_rn(double, double);
__device__ double __ddiv_rn(double, double);
__device__ double __dsqrt_rn(double);
__device__ double __drcp_rn(double);
__device__ double __fma_rn(double, double, double);

__device__ int __popc(unsigned int);
__device__ int __popcll(unsigned long long);
__device__ int __clz(int);
__device__ int __clzll(long long);
__device__ int __ffs(int);
__device__ int __ffsll(long long);
__device__ unsigned int __brev(unsigned int);
__device__ unsigned long long __brevll(unsigned long long);
__device__ int __mulhi(int, int);
__device__ unsigned int __umulhi(unsigned int, unsigned int);
__device__ long long __mul64hi(long long, long long);
__device__ unsigned long long __umul64hi(unsigned long long, unsigned long long);
__device__ int __float_as_int(float);
__device__ unsigned int __float_as_uint(float);
__device__ float __int_as_float(int);
__device__ float __uint_as_float(unsigned int);
__device__ long long __double_as_longlong(double);
__device__ double __longlong_as_double(long long);
__device__ int __float2int_rz(float);
__device__ unsigned int __float2uint_rz(float);
__device__ float __ll2float_rn(long long);
__device__ float __ull2float_rn(unsigned long long);
__device__ float __double2float_rn(double);
__device__ long long __float2ll_rz(float);
__device__ unsigned long long __float2ull_rz(float);
__device__ int __double2int_rz(double);
__device__ unsigned int __double2uint_rz(double);
__device__ long long __double2ll_rz(double);
__device__ double __int2double_rn(int);
__device__ double __uint2double_rn(unsigned int);
__device__ double __ll2double_rn(long long);
__device__ float __int2float_rn(int);
__device__ float __uint2float_rn(unsigned int);

template <typename T> __device__ T __ldg(const T* p);
template <typename T> __device__ T __ldcs(const T* p);
template <typename T> __device__ T __ldca(const T* p);
template <typename T> __device__ T __ldcg(const T* p);
template <typename T> __device__ void __stcs(T* p, T v);
template <typename T> __device__ void __stcg(T* p, T v);
template <typename T> __device__ void __stwt(T* p, T v);
template <typename T> __device__ void __stwb(T* p, T v);
template <typename T> __device__ T __ldlu(const T* p);
template <typename T> __device__ T __ldcv(const T* p);
__device__ unsigned int umin(unsigned int, unsigned int);
__device__ unsigned int umax(unsigned int, unsigned int);
__device__ long long llmin(long long, long long);
__device__ long long llmax(long long, long long);
__device__ unsigned long long ullmin(unsigned long long, unsigned long long);
__device__ unsigned long long ullmax(unsigned long long, unsigned long long);

__device__ int printf(const char*, ...);
__device__ void __assert_fail(const char*, const char*, unsigned, const char*);
__device__ void __trap();
__device__ long long clock64();
__device__ int clock();
__device__ void __nanosleep(unsigned);
#define assert(x) ((void)0)

// known, and refused with a reason
#define GP_REFUSED1(F) extern "C" __device__ float F##f(float); extern "C" __device__ double F(double);
GP_REFUSED1(erfcx) GP_REFUSED1(erfinv) GP_REFUSED1(erfcinv) GP_REFUSED1(normcdfinv) GP_REFUSED1(lgamma)
GP_REFUSED1(tgamma) GP_REFUSED1(j0) GP_REFUSED1(j1) GP_REFUSED1(y0) GP_REFUSED1(y1) GP_REFUSED1(cyl_bessel_i0)
GP_REFUSED1(cyl_bessel_i1) GP_REFUSED1(rcbrt) GP_REFUSED1(logb)
#undef GP_REFUSED1
extern "C" __device__ double normcdf(double);
extern "C" __device__ double sinpi(double);
extern "C" __device__ double cospi(double);
extern "C" __device__ float remainderf(float, float);
extern "C" __device__ double remainder(double, double);
extern "C" __device__ float nextafterf(float, float);
#define GP_ROUNDED(F, ...) __device__ float F##_rd(__VA_ARGS__); __device__ float F##_ru(__VA_ARGS__);
GP_ROUNDED(__fadd, float, float) GP_ROUNDED(__fsub, float, float) GP_ROUNDED(__fmul, float, float)
GP_ROUNDED(__fdiv, float, float) GP_ROUNDED(__fmaf, float, float, float) GP_ROUNDED(__fsqrt, float)
GP_ROUNDED(__frcp, float) GP_ROUNDED(__int2float, int) GP_ROUNDED(__uint2float, unsigned int)
GP_ROUNDED(__double2float, double)
#undef GP_ROUNDED
__device__ float __fadd_rz(float, float);
__device__ float __fsub_rz(float, float);
__device__ float __fmul_rz(float, float);
__device__ float __fdiv_rz(float, float);
__device__ float __fmaf_rz(float, float, float);
__device__ float __fsqrt_rz(float);
__device__ float __frcp_rz(float);
__device__ float __frsqrt_rn(float);
__device__ float __int2float_rz(int);
__device__ float __uint2float_rz(unsigned int);
__device__ float __double2float_rz(double);
__device__ unsigned int __fns(unsigned int, unsigned int, int);
typedef unsigned long long cudaTextureObject_t;
typedef unsigned long long cudaSurfaceObject_t;
template <typename T> __device__ T tex1Dfetch(cudaTextureObject_t, int);
template <typename T> __device__ T tex1D(cudaTextureObject_t, float);
template <typename T> __device__ T tex2D(cudaTextureObject_t, float, float);
template <typename T> __device__ T tex3D(cudaTextureObject_t, float, float, float);

#include "gpuport_intrinsics.h"
