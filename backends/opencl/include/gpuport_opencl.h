// Declarations of OpenCL C for gpuport's reader: names and types only, nothing here is ever compiled to code.
// Written from the OpenCL C 3.0 specification.
#pragma once

typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;
typedef unsigned long size_t;
typedef long ptrdiff_t;
#define GP_OVERLOAD __attribute__((overloadable))
#define GP_VECTORS(T)                                                                                                  \
    typedef T T##2 __attribute__((ext_vector_type(2)));                                                                \
    typedef T T##3 __attribute__((ext_vector_type(3)));                                                                \
    typedef T T##4 __attribute__((ext_vector_type(4)));                                                                \
    typedef T T##8 __attribute__((ext_vector_type(8)));                                                                \
    typedef T T##16 __attribute__((ext_vector_type(16)));
GP_VECTORS(char) GP_VECTORS(uchar) GP_VECTORS(short) GP_VECTORS(ushort) GP_VECTORS(int) GP_VECTORS(uint)
GP_VECTORS(long) GP_VECTORS(ulong) GP_VECTORS(float) GP_VECTORS(double)

#define CLK_LOCAL_MEM_FENCE 1u
#define CLK_GLOBAL_MEM_FENCE 2u
#define INFINITY __builtin_huge_valf()
#define NAN __builtin_nanf("")
#define FLT_MAX 0x1.fffffep127f
#define FLT_MIN 0x1.0p-126f
#define FLT_EPSILON 0x1.0p-23f
#define INT_MAX 2147483647
#define INT_MIN (-2147483647 - 1)
#define UINT_MAX 0xffffffffu
#define LONG_MAX 0x7fffffffffffffffL
#define LONG_MIN (-0x7fffffffffffffffL - 1)
#define ULONG_MAX 0xffffffffffffffffUL
#define M_PI_F 0x1.921fb6p+1f
#define M_PI 0x1.921fb54442d18p+1

size_t GP_OVERLOAD get_local_id(uint);
size_t GP_OVERLOAD get_group_id(uint);
size_t GP_OVERLOAD get_local_size(uint);
size_t GP_OVERLOAD get_num_groups(uint);
size_t GP_OVERLOAD get_global_id(uint);
size_t GP_OVERLOAD get_global_size(uint);
uint GP_OVERLOAD get_sub_group_local_id(void);
uint GP_OVERLOAD get_sub_group_id(void);
uint GP_OVERLOAD get_sub_group_size(void);
void GP_OVERLOAD barrier(uint);
void GP_OVERLOAD work_group_barrier(uint);
void GP_OVERLOAD sub_group_barrier(uint);
void GP_OVERLOAD mem_fence(uint);
typedef int memory_order;
#define memory_order_relaxed 0
#define memory_order_acquire 1
#define memory_order_release 2
#define memory_order_acq_rel 3
#define memory_order_seq_cst 4
typedef int memory_scope; // the narrower, the smaller
#define memory_scope_work_item 0
#define memory_scope_sub_group 0
#define memory_scope_work_group 1
#define memory_scope_device 2
#define memory_scope_all_svm_devices 3
void GP_OVERLOAD atomic_work_item_fence(uint, memory_order, memory_scope);
int GP_OVERLOAD sub_group_any(int);
int GP_OVERLOAD sub_group_all(int);

#define GP_SHUFFLE(T)                                                                                                  \
    T GP_OVERLOAD sub_group_shuffle(T, uint);                                                                          \
    T GP_OVERLOAD sub_group_shuffle_xor(T, uint);                                                                      \
    T GP_OVERLOAD sub_group_shuffle_up(T, uint);                                                                       \
    T GP_OVERLOAD sub_group_shuffle_down(T, uint);
GP_SHUFFLE(int) GP_SHUFFLE(uint) GP_SHUFFLE(long) GP_SHUFFLE(ulong) GP_SHUFFLE(float) GP_SHUFFLE(double)
// AMD: what clang's amdgcn target gives to OpenCL C
int __builtin_amdgcn_ds_bpermute(int, int);
uint __builtin_amdgcn_mbcnt_lo(uint, uint);
uint __builtin_amdgcn_mbcnt_hi(uint, uint);
uint __builtin_amdgcn_ballot_w32(bool);
ulong __builtin_amdgcn_ballot_w64(bool);
void __builtin_amdgcn_wave_barrier(void);

#define GP_F1(F, T) T GP_OVERLOAD F(T);
#define GP_F2(F, T) T GP_OVERLOAD F(T, T);
#define GP_FLOATS(T)                                                                                                   \
    GP_F1(exp, T) GP_F1(exp2, T) GP_F1(exp10, T) GP_F1(expm1, T) GP_F1(log, T) GP_F1(log2, T) GP_F1(log10, T)          \
    GP_F1(log1p, T) GP_F1(sqrt, T) GP_F1(rsqrt, T) GP_F1(cbrt, T) GP_F1(sin, T) GP_F1(cos, T) GP_F1(tan, T)            \
    GP_F1(asin, T) GP_F1(acos, T) GP_F1(atan, T) GP_F1(sinh, T) GP_F1(cosh, T) GP_F1(tanh, T) GP_F1(asinh, T)          \
    GP_F1(acosh, T) GP_F1(atanh, T) GP_F1(erf, T) GP_F1(erfc, T) GP_F1(floor, T) GP_F1(ceil, T) GP_F1(trunc, T)        \
    GP_F1(round, T) GP_F1(rint, T) GP_F1(fabs, T)                                                                      \
    GP_F2(pow, T) GP_F2(fmod, T) GP_F2(fmin, T) GP_F2(fmax, T) GP_F2(fdim, T) GP_F2(atan2, T) GP_F2(hypot, T)          \
    GP_F2(copysign, T)                                                                                                 \
    T GP_OVERLOAD fma(T, T, T);                                                                                        \
    T GP_OVERLOAD ldexp(T, int);
GP_FLOATS(float) GP_FLOATS(float2) GP_FLOATS(float4) GP_FLOATS(double)
#define GP_NATIVE(T)                                                                                                   \
    GP_F1(native_exp, T) GP_F1(native_exp2, T) GP_F1(native_exp10, T) GP_F1(native_log, T) GP_F1(native_log2, T)       \
    GP_F1(native_log10, T) GP_F1(native_sin, T) GP_F1(native_cos, T) GP_F1(native_tan, T) GP_F1(native_sqrt, T)        \
    GP_F1(native_rsqrt, T) GP_F1(native_recip, T) GP_F2(native_divide, T) GP_F2(native_powr, T)
GP_NATIVE(float)
int GP_OVERLOAD isnan(float);
int GP_OVERLOAD isnan(double);
int GP_OVERLOAD isinf(float);
int GP_OVERLOAD isinf(double);
int GP_OVERLOAD isfinite(float);
int GP_OVERLOAD isfinite(double);
int GP_OVERLOAD signbit(float);
int GP_OVERLOAD signbit(double);

#define GP_INTS(T, U)                                                                                                  \
    T GP_OVERLOAD min(T, T);                                                                                           \
    T GP_OVERLOAD max(T, T);                                                                                           \
    U GP_OVERLOAD abs(T);                                                                                              \
    T GP_OVERLOAD mul_hi(T, T);                                                                                        \
    T GP_OVERLOAD popcount(T);                                                                                         \
    T GP_OVERLOAD clz(T);
GP_INTS(char, uchar) GP_INTS(uchar, uchar) GP_INTS(short, ushort) GP_INTS(ushort, ushort) GP_INTS(int, uint)
GP_INTS(uint, uint) GP_INTS(long, ulong) GP_INTS(ulong, ulong)

#define GP_AS(T)                                                                                                       \
    T GP_OVERLOAD as_##T(int);                                                                                         \
    T GP_OVERLOAD as_##T(uint);                                                                                        \
    T GP_OVERLOAD as_##T(float);
GP_AS(int) GP_AS(uint) GP_AS(float)
#define GP_AS8(T)                                                                                                      \
    T GP_OVERLOAD as_##T(long);                                                                                        \
    T GP_OVERLOAD as_##T(ulong);                                                                                       \
    T GP_OVERLOAD as_##T(double);                                                                                      \
    T GP_OVERLOAD as_##T(uint2);
GP_AS8(long) GP_AS8(ulong) GP_AS8(double)
uint2 GP_OVERLOAD as_uint2(long);
uint2 GP_OVERLOAD as_uint2(ulong);
uint2 GP_OVERLOAD as_uint2(double);

#define GP_CONVERT_FROM(T, S)                                                                                          \
    T GP_OVERLOAD convert_##T(S);                                                                                      \
    T GP_OVERLOAD convert_##T##_rtz(S);                                                                                \
    T GP_OVERLOAD convert_##T##_sat(S);                                                                                \
    T GP_OVERLOAD convert_##T##_sat_rtz(S);
#define GP_CONVERT(T)                                                                                                  \
    GP_CONVERT_FROM(T, char) GP_CONVERT_FROM(T, uchar) GP_CONVERT_FROM(T, short) GP_CONVERT_FROM(T, ushort)            \
    GP_CONVERT_FROM(T, int) GP_CONVERT_FROM(T, uint) GP_CONVERT_FROM(T, long) GP_CONVERT_FROM(T, ulong)                \
    GP_CONVERT_FROM(T, float) GP_CONVERT_FROM(T, double)
GP_CONVERT(char) GP_CONVERT(uchar) GP_CONVERT(short) GP_CONVERT(ushort) GP_CONVERT(int) GP_CONVERT(uint)
GP_CONVERT(long) GP_CONVERT(ulong)
#define GP_CONVERT_FLOAT(S)                                                                                            \
    float GP_OVERLOAD convert_float(S);                                                                                \
    double GP_OVERLOAD convert_double(S);
GP_CONVERT_FLOAT(char) GP_CONVERT_FLOAT(uchar) GP_CONVERT_FLOAT(short) GP_CONVERT_FLOAT(ushort) GP_CONVERT_FLOAT(int)
GP_CONVERT_FLOAT(uint) GP_CONVERT_FLOAT(long) GP_CONVERT_FLOAT(ulong) GP_CONVERT_FLOAT(float) GP_CONVERT_FLOAT(double)

#define GP_VLOAD(S, T, N)                                                                                              \
    T##N GP_OVERLOAD vload##N(size_t, const S T*);                                                                     \
    void GP_OVERLOAD vstore##N(T##N, size_t, S T*);
#define GP_VLOADS(T)                                                                                                   \
    GP_VLOAD(__global, T, 2) GP_VLOAD(__global, T, 3) GP_VLOAD(__global, T, 4) GP_VLOAD(__local, T, 2)                 \
    GP_VLOAD(__local, T, 3) GP_VLOAD(__local, T, 4) GP_VLOAD(__private, T, 2) GP_VLOAD(__private, T, 3)                \
    GP_VLOAD(__private, T, 4)
GP_VLOADS(char) GP_VLOADS(uchar) GP_VLOADS(short) GP_VLOADS(ushort) GP_VLOADS(int) GP_VLOADS(uint) GP_VLOADS(long)
GP_VLOADS(ulong) GP_VLOADS(float) GP_VLOADS(double)

#define GP_ATOMICS(P, S, T)                                                                                            \
    T GP_OVERLOAD P##_add(volatile S T*, T);                                                                           \
    T GP_OVERLOAD P##_sub(volatile S T*, T);                                                                           \
    T GP_OVERLOAD P##_xchg(volatile S T*, T);                                                                          \
    T GP_OVERLOAD P##_min(volatile S T*, T);                                                                           \
    T GP_OVERLOAD P##_max(volatile S T*, T);                                                                           \
    T GP_OVERLOAD P##_and(volatile S T*, T);                                                                           \
    T GP_OVERLOAD P##_or(volatile S T*, T);                                                                            \
    T GP_OVERLOAD P##_xor(volatile S T*, T);                                                                           \
    T GP_OVERLOAD P##_inc(volatile S T*);                                                                              \
    T GP_OVERLOAD P##_dec(volatile S T*);                                                                              \
    T GP_OVERLOAD P##_cmpxchg(volatile S T*, T, T);
GP_ATOMICS(atomic, __global, int) GP_ATOMICS(atomic, __global, uint) GP_ATOMICS(atomic, __local, int)
GP_ATOMICS(atomic, __local, uint) GP_ATOMICS(atom, __global, long) GP_ATOMICS(atom, __global, ulong)
GP_ATOMICS(atom, __local, long) GP_ATOMICS(atom, __local, ulong)
float GP_OVERLOAD atomic_xchg(volatile __global float*, float);
float GP_OVERLOAD atomic_xchg(volatile __local float*, float);
