// HIP on AMD: definitions behind the declarations of gpuport_hip.h, which this file replaces when a text is assembled.
#pragma once
#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __host__ __attribute__((host))
#define __shared__ __attribute__((shared))
#define __constant__ __attribute__((constant))
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __restrict__ __restrict
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))
#include "gpuport_amdgcn.h"

#define INFINITY __builtin_huge_valf()
#define NAN __builtin_nanf("")
typedef unsigned long size_t;

#define GP_INDEX(N, F)                                                                                                 \
    struct gp_##N {                                                                                                    \
        GP_MEMBER(x, F, 0) GP_MEMBER(y, F, 1) GP_MEMBER(z, F, 2)                                                       \
    };                                                                                                                 \
    extern const __device__ gp_##N N;
#define GP_MEMBER(A, F, D)                                                                                             \
    __declspec(property(get = get_##A)) unsigned A;                                                                    \
    __device__ static unsigned get_##A() { return F(D); }
GP_INDEX(threadIdx, gp_thread)
GP_INDEX(blockIdx, gp_group)
GP_INDEX(blockDim, gp_group_size)
GP_INDEX(gridDim, gp_grid)
static constexpr __device__ int warpSize = GP_WAVE;

#define GP_VECTOR(T, N, A2, A4)                                                                                        \
    struct __attribute__((aligned(A2))) N##2 { T x, y; };                                                              \
    struct N##3 { T x, y, z; };                                                                                        \
    struct __attribute__((aligned(A4))) N##4 { T x, y, z, w; };                                                        \
    GP_FN N##2 make_##N##2(T x, T y) { return {x, y}; }                                                                \
    GP_FN N##3 make_##N##3(T x, T y, T z) { return {x, y, z}; }                                                        \
    GP_FN N##4 make_##N##4(T x, T y, T z, T w) { return {x, y, z, w}; }
GP_VECTOR(signed char, char, 2, 4)
GP_VECTOR(unsigned char, uchar, 2, 4)
GP_VECTOR(short, short, 4, 8)
GP_VECTOR(unsigned short, ushort, 4, 8)
GP_VECTOR(int, int, 8, 16)
GP_VECTOR(unsigned int, uint, 8, 16)
GP_VECTOR(long long, longlong, 16, 16)
GP_VECTOR(unsigned long long, ulonglong, 16, 16)
GP_VECTOR(float, float, 8, 16)
GP_VECTOR(double, double, 16, 16)

GP_FN void __syncthreads() { gp_barrier(); }
GP_FN void __threadfence() { __builtin_amdgcn_fence(__ATOMIC_SEQ_CST, "agent"); }
GP_FN void __threadfence_block() { __builtin_amdgcn_fence(__ATOMIC_SEQ_CST, "workgroup"); }

GP_FN int gp_lane() { return __builtin_amdgcn_mbcnt_hi(~0u, __builtin_amdgcn_mbcnt_lo(~0u, 0u)); }
template <typename T> GP_FN T gp_from(T v, int lane) {
    constexpr int words = (sizeof(T) + 3) / 4;
    int in[words] = {}, out[words];
    __builtin_memcpy(in, &v, sizeof(T));
    for (int i = 0; i < words; ++i) out[i] = __builtin_amdgcn_ds_bpermute(lane << 2, in[i]);
    T result;
    __builtin_memcpy(&result, out, sizeof(T));
    return result;
}
// as in amd_warp_functions.h
template <typename T> GP_FN T __shfl(T v, int lane, int width = GP_WAVE) {
    return gp_from(v, (lane & (width - 1)) + (gp_lane() & ~(width - 1)));
}
template <typename T> GP_FN T __shfl_up(T v, unsigned delta, int width = GP_WAVE) {
    const int self = gp_lane(), source = self - (int)delta;
    return gp_from(v, source < (self & ~(width - 1)) ? self : source);
}
template <typename T> GP_FN T __shfl_down(T v, unsigned delta, int width = GP_WAVE) {
    const int self = gp_lane(), source = self + (int)delta;
    return gp_from(v, (int)((self & (width - 1)) + delta) >= width ? self : source);
}
template <typename T> GP_FN T __shfl_xor(T v, int mask, int width = GP_WAVE) {
    const int self = gp_lane(), source = self ^ mask;
    return gp_from(v, source >= ((self + width) & ~(width - 1)) ? self : source);
}
#if GP_WAVE == 64
GP_FN unsigned long long __ballot(int p) { return __builtin_amdgcn_ballot_w64(p != 0); }
#else
GP_FN unsigned long long __ballot(int p) { return __builtin_amdgcn_ballot_w32(p != 0); }
#endif
GP_FN int __any(int p) { return __ballot(p) != 0; }
GP_FN int __all(int p) { return __ballot(!p) == 0; }

#define GP_ATOMIC(N, B, T)                                                                                             \
    GP_FN T N(T* p, T v) { return B(p, v, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT); }
#define GP_ATOMICS(T)                                                                                                  \
    GP_ATOMIC(atomicAdd, __hip_atomic_fetch_add, T)                                                                    \
    GP_ATOMIC(atomicSub, __hip_atomic_fetch_sub, T)                                                                    \
    GP_ATOMIC(atomicMin, __hip_atomic_fetch_min, T)                                                                    \
    GP_ATOMIC(atomicMax, __hip_atomic_fetch_max, T)                                                                    \
    GP_ATOMIC(atomicAnd, __hip_atomic_fetch_and, T)                                                                    \
    GP_ATOMIC(atomicOr, __hip_atomic_fetch_or, T)                                                                      \
    GP_ATOMIC(atomicXor, __hip_atomic_fetch_xor, T)                                                                    \
    GP_ATOMIC(atomicExch, __hip_atomic_exchange, T)                                                                    \
    GP_FN T atomicCAS(T* p, T e, T v) {                                                                                \
        __hip_atomic_compare_exchange_strong(p, &e, v, __ATOMIC_RELAXED, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);  \
        return e;                                                                                                      \
    }
GP_ATOMICS(int) GP_ATOMICS(unsigned int) GP_ATOMICS(long long) GP_ATOMICS(unsigned long long)
GP_ATOMIC(atomicAdd, __hip_atomic_fetch_add, float) GP_ATOMIC(atomicAdd, __hip_atomic_fetch_add, double)
GP_ATOMIC(atomicExch, __hip_atomic_exchange, float)

#define GP_F1(F)                                                                                                       \
    GP_FN float F##f(float x) { return __builtin_##F##f(x); }
#define GP_D1(F)                                                                                                       \
    GP_FN double F(double x) { return __builtin_##F(x); }                                                              \
    GP_FN float F(float x) { return __builtin_##F##f(x); }
GP_F1(exp) GP_F1(exp2) GP_F1(exp10) GP_F1(log) GP_F1(log2) GP_F1(log10) GP_F1(sqrt) GP_F1(sin) GP_F1(cos) GP_F1(floor)
GP_F1(ceil) GP_F1(trunc) GP_F1(round) GP_F1(rint) GP_F1(fabs)
GP_D1(sqrt) GP_D1(floor) GP_D1(ceil) GP_D1(trunc) GP_D1(round) GP_D1(rint) GP_D1(fabs)
#define GP_F2(F)                                                                                                       \
    GP_FN float F##f(float x, float y) { return __builtin_##F##f(x, y); }                                              \
    GP_FN double F(double x, double y) { return __builtin_##F(x, y); }
GP_F2(fmin) GP_F2(fmax) GP_F2(copysign)
GP_FN float fmaf(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
GP_FN double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
GP_FN float ldexpf(float x, int e) { return __builtin_ldexpf(x, e); }
GP_FN double ldexp(double x, int e) { return __builtin_ldexp(x, e); }
GP_FN float rsqrtf(float x) { return __builtin_amdgcn_rsqf(x); }
GP_FN double rsqrt(double x) { return __builtin_amdgcn_rsq(x); }
GP_FN float fdimf(float x, float y) { return x > y ? x - y : 0.0f; }
// functions of the device library; their registers are not counted
#define GP_CALL1(F)                                                                                                    \
    extern "C" __device__ float F##f(float);                                                                           \
    extern "C" __device__ double F(double);
GP_CALL1(expm1) GP_CALL1(log1p) GP_CALL1(cbrt) GP_CALL1(tan) GP_CALL1(asin) GP_CALL1(acos) GP_CALL1(atan)
GP_CALL1(sinh) GP_CALL1(cosh) GP_CALL1(tanh) GP_CALL1(asinh) GP_CALL1(acosh) GP_CALL1(atanh) GP_CALL1(erf)
GP_CALL1(erfc)
extern "C" __device__ double exp(double), exp2(double), exp10(double), log(double), log2(double), log10(double),
    sin(double), cos(double), fdim(double, double);
#define GP_CALL2(F)                                                                                                    \
    extern "C" __device__ float F##f(float, float);                                                                    \
    extern "C" __device__ double F(double, double);
GP_CALL2(pow) GP_CALL2(fmod) GP_CALL2(atan2) GP_CALL2(hypot)

#define GP_TEST(F)                                                                                                     \
    GP_FN bool F(float x) { return __builtin_##F(x); }                                                                 \
    GP_FN bool F(double x) { return __builtin_##F(x); }
GP_TEST(isnan) GP_TEST(isinf) GP_TEST(isfinite) GP_TEST(signbit)
GP_FN float __expf(float x) { return __builtin_amdgcn_exp2f(x * 1.442695f); }
GP_FN float __exp10f(float x) { return __builtin_amdgcn_exp2f(x * 3.321928f); }
GP_FN float __logf(float x) { return __builtin_amdgcn_logf(x) * 0.693147f; }
GP_FN float __log2f(float x) { return __builtin_amdgcn_logf(x); }
GP_FN float __log10f(float x) { return __builtin_amdgcn_logf(x) * 0.301030f; }
GP_FN float __sinf(float x) { return __builtin_amdgcn_sinf(x * 0.159155f); }
GP_FN float __cosf(float x) { return __builtin_amdgcn_cosf(x * 0.159155f); }
GP_FN float __tanf(float x) { return __sinf(x) / __cosf(x); }
GP_FN float __powf(float x, float y) { return __builtin_amdgcn_exp2f(y * __builtin_amdgcn_logf(x)); }
GP_FN float __fdividef(float x, float y) { return x / y; }

#define GP_MINMAX(T)                                                                                                   \
    GP_FN T min(T a, T b) { return a < b ? a : b; }                                                                    \
    GP_FN T max(T a, T b) { return a > b ? a : b; }
GP_MINMAX(int) GP_MINMAX(unsigned int) GP_MINMAX(long long) GP_MINMAX(unsigned long long)
GP_FN int abs(int x) { return x < 0 ? -x : x; }
GP_FN long long llabs(long long x) { return x < 0 ? -x : x; }
GP_FN int __popc(unsigned int x) { return __builtin_popcount(x); }
GP_FN int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
GP_FN int __clz(int x) { return x == 0 ? 32 : __builtin_clz(x); }
GP_FN int __clzll(long long x) { return x == 0 ? 64 : __builtin_clzll(x); }
GP_FN int __ffs(int x) { return __builtin_ffs(x); }
GP_FN int __ffsll(long long x) { return __builtin_ffsll(x); }
GP_FN unsigned int __brev(unsigned int x) { return __builtin_bitreverse32(x); }
GP_FN unsigned long long __brevll(unsigned long long x) { return __builtin_bitreverse64(x); }
GP_FN int __mulhi(int a, int b) { return (int)(((long long)a * b) >> 32); }
GP_FN unsigned int __umulhi(unsigned int a, unsigned int b) { return (unsigned int)(((unsigned long long)a * b) >> 32); }
GP_FN long long __mul64hi(long long a, long long b) { return (long long)(((__int128)a * b) >> 64); }
GP_FN unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned long long)(((unsigned __int128)a * b) >> 64);
}
GP_FN int __float_as_int(float x) { return __builtin_bit_cast(int, x); }
GP_FN unsigned int __float_as_uint(float x) { return __builtin_bit_cast(unsigned int, x); }
GP_FN float __int_as_float(int x) { return __builtin_bit_cast(float, x); }
GP_FN float __uint_as_float(unsigned int x) { return __builtin_bit_cast(float, x); }
GP_FN long long __double_as_longlong(double x) { return __builtin_bit_cast(long long, x); }
GP_FN double __longlong_as_double(long long x) { return __builtin_bit_cast(double, x); }
