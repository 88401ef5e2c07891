// OpenCL C on AMD: definitions behind the declarations of gpuport_opencl.h.
#pragma once
#include "gpuport_opencl.h"
#include "gpuport_amdgcn.h"

size_t GP_OVERLOAD get_local_id(uint d) { return gp_thread(d); }
size_t GP_OVERLOAD get_group_id(uint d) { return gp_group(d); }
size_t GP_OVERLOAD get_local_size(uint d) { return gp_group_size(d); }
size_t GP_OVERLOAD get_num_groups(uint d) { return gp_grid(d); }
size_t GP_OVERLOAD get_global_id(uint d) { return (size_t)gp_group(d) * gp_group_size(d) + gp_thread(d); }
size_t GP_OVERLOAD get_global_size(uint d) { return (size_t)gp_grid(d) * gp_group_size(d); }
void GP_OVERLOAD barrier(uint flags) { gp_barrier(); }
void GP_OVERLOAD atomic_work_item_fence(uint flags, memory_order order, memory_scope scope) {
    __builtin_amdgcn_fence(__ATOMIC_SEQ_CST, "agent");
}
half GP_OVERLOAD fma(half a, half b, half c) { return __builtin_fmaf16(a, b, c); }
half2 GP_OVERLOAD fma(half2 a, half2 b, half2 c) { return __builtin_elementwise_fma(a, b, c); }
half GP_OVERLOAD fmin(half a, half b) { return __builtin_fminf16(a, b); }
half GP_OVERLOAD fmax(half a, half b) { return __builtin_fmaxf16(a, b); }
half GP_OVERLOAD fabs(half x) { return __builtin_fabsf16(x); }
half GP_OVERLOAD sqrt(half x) { return __builtin_sqrtf16(x); }
#define as_half(x) __builtin_astype((x), half)
#define as_ushort(x) __builtin_astype((x), ushort)
#define as_short(x) __builtin_astype((x), short)
void GP_OVERLOAD mem_fence(uint flags) { __builtin_amdgcn_fence(__ATOMIC_ACQ_REL, "workgroup"); }

#define as_int(x) __builtin_astype((x), int)
#define as_uint(x) __builtin_astype((x), uint)
#define as_float(x) __builtin_astype((x), float)
#define as_long(x) __builtin_astype((x), long)
#define as_ulong(x) __builtin_astype((x), ulong)
#define as_double(x) __builtin_astype((x), double)
#define as_uint2(x) __builtin_astype((x), uint2)

#define GP_D1(F)                                                                                                       \
    float GP_OVERLOAD F(float x) { return __builtin_##F##f(x); }
GP_D1(exp) GP_D1(exp2) GP_D1(exp10) GP_D1(log) GP_D1(log2) GP_D1(log10) GP_D1(sqrt) GP_D1(sin) GP_D1(cos) GP_D1(floor)
GP_D1(ceil) GP_D1(trunc) GP_D1(round) GP_D1(rint) GP_D1(fabs)
#define GP_D2(F)                                                                                                       \
    float GP_OVERLOAD F(float x, float y) { return __builtin_##F##f(x, y); }
GP_D2(fmin) GP_D2(fmax) GP_D2(copysign)
float GP_OVERLOAD rsqrt(float x) { return __builtin_amdgcn_rsqf(x); }
float GP_OVERLOAD fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
double GP_OVERLOAD fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
double GP_OVERLOAD sqrt(double x) { return __builtin_sqrt(x); }
double GP_OVERLOAD fabs(double x) { return __builtin_fabs(x); }
double GP_OVERLOAD fmin(double x, double y) { return __builtin_fmin(x, y); }
double GP_OVERLOAD fmax(double x, double y) { return __builtin_fmax(x, y); }
float GP_OVERLOAD native_exp(float x) { return __builtin_amdgcn_exp2f(x * 1.442695f); }
float GP_OVERLOAD native_log(float x) { return __builtin_amdgcn_logf(x) * 0.693147f; }
float GP_OVERLOAD native_sqrt(float x) { return __builtin_amdgcn_sqrtf(x); }
float GP_OVERLOAD native_rsqrt(float x) { return __builtin_amdgcn_rsqf(x); }
float GP_OVERLOAD native_recip(float x) { return __builtin_amdgcn_rcpf(x); }
float GP_OVERLOAD native_divide(float x, float y) { return x * __builtin_amdgcn_rcpf(y); }
int GP_OVERLOAD isnan(float x) { return __builtin_isnan(x); }
int GP_OVERLOAD isinf(float x) { return __builtin_isinf(x); }

#define GP_DI(T)                                                                                                       \
    T GP_OVERLOAD min(T a, T b) { return a < b ? a : b; }                                                              \
    T GP_OVERLOAD max(T a, T b) { return a > b ? a : b; }
GP_DI(int) GP_DI(uint) GP_DI(long) GP_DI(ulong)
uint GP_OVERLOAD abs(int x) { return x < 0 ? -(uint)x : (uint)x; }
int GP_OVERLOAD popcount(int x) { return __builtin_popcount((uint)x); }
uint GP_OVERLOAD popcount(uint x) { return (uint)__builtin_popcount(x); }
int GP_OVERLOAD clz(int x) { return x == 0 ? 32 : __builtin_clz((uint)x); }
uint GP_OVERLOAD clz(uint x) { return x == 0 ? 32 : (uint)__builtin_clz(x); }
int GP_OVERLOAD mul_hi(int a, int b) { return (int)(((long)a * b) >> 32); }
uint GP_OVERLOAD mul_hi(uint a, uint b) { return (uint)(((ulong)a * b) >> 32); }

#define GP_DA(P, S, T)                                                                                                 \
    T GP_OVERLOAD P##_add(volatile S T* p, T v) { return __scoped_atomic_fetch_add(p, v, 0, 1); }                      \
    T GP_OVERLOAD P##_sub(volatile S T* p, T v) { return __scoped_atomic_fetch_sub(p, v, 0, 1); }                      \
    T GP_OVERLOAD P##_min(volatile S T* p, T v) { return __scoped_atomic_fetch_min(p, v, 0, 1); }                      \
    T GP_OVERLOAD P##_max(volatile S T* p, T v) { return __scoped_atomic_fetch_max(p, v, 0, 1); }                      \
    T GP_OVERLOAD P##_and(volatile S T* p, T v) { return __scoped_atomic_fetch_and(p, v, 0, 1); }                      \
    T GP_OVERLOAD P##_or(volatile S T* p, T v) { return __scoped_atomic_fetch_or(p, v, 0, 1); }                        \
    T GP_OVERLOAD P##_xor(volatile S T* p, T v) { return __scoped_atomic_fetch_xor(p, v, 0, 1); }                      \
    T GP_OVERLOAD P##_xchg(volatile S T* p, T v) { return __scoped_atomic_exchange_n(p, v, 0, 1); }                    \
    T GP_OVERLOAD P##_cmpxchg(volatile S T* p, T e, T v) {                                                             \
        __scoped_atomic_compare_exchange_n(p, &e, v, 0, 0, 0, 1);                                                      \
        return e;                                                                                                      \
    }
GP_DA(atomic, __global, int) GP_DA(atomic, __global, uint) GP_DA(atomic, __local, int) GP_DA(atomic, __local, uint)
GP_DA(atom, __global, long) GP_DA(atom, __global, ulong) GP_DA(atom, __local, long) GP_DA(atom, __local, ulong)
