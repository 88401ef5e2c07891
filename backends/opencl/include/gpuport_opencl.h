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
#ifdef cl_khr_fp16
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
GP_VECTORS(half)
#endif

#define CLK_LOCAL_MEM_FENCE 1u
#define CLK_GLOBAL_MEM_FENCE 2u
#define INFINITY __builtin_huge_valf()
#define NAN __builtin_nanf("")
#define FLT_MAX 0x1.fffffep127f
#define MAXFLOAT FLT_MAX
#define HUGE_VALF __builtin_huge_valf()
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
#ifdef cl_khr_fp16
GP_FLOATS(half) GP_FLOATS(half2) GP_FLOATS(half4)
#endif
GP_FLOATS(float) GP_FLOATS(float2) GP_FLOATS(float3) GP_FLOATS(float4) GP_FLOATS(double) GP_FLOATS(double2) GP_FLOATS(double4)
#define GP_NATIVE(T)                                                                                                   \
    GP_F1(native_exp, T) GP_F1(native_exp2, T) GP_F1(native_exp10, T) GP_F1(native_log, T) GP_F1(native_log2, T)       \
    GP_F1(native_log10, T) GP_F1(native_sin, T) GP_F1(native_cos, T) GP_F1(native_tan, T) GP_F1(native_sqrt, T)        \
    GP_F1(native_rsqrt, T) GP_F1(native_recip, T) GP_F2(native_divide, T) GP_F2(native_powr, T)
GP_NATIVE(float) GP_NATIVE(float2) GP_NATIVE(float3) GP_NATIVE(float4)
// section 6.15.5: common functions, beside vectors also with scalars
#define GP_COMMON(T)                                                                                                   \
    T GP_OVERLOAD clamp(T, T, T); T GP_OVERLOAD mad(T, T, T); T GP_OVERLOAD mix(T, T, T); T GP_OVERLOAD step(T, T);    \
    T GP_OVERLOAD smoothstep(T, T, T); T GP_OVERLOAD sign(T); T GP_OVERLOAD degrees(T); T GP_OVERLOAD radians(T);      \
    T GP_OVERLOAD min(T, T); T GP_OVERLOAD max(T, T); T GP_OVERLOAD bitselect(T, T, T);                                \
    GP_F1(lgamma, T) GP_F1(tgamma, T) GP_F1(logb, T) GP_F2(remainder, T) GP_F2(nextafter, T) GP_F2(maxmag, T)          \
    GP_F2(minmag, T) T GP_OVERLOAD sincos(T, T*); T GP_OVERLOAD sincos(T, __global T*); T GP_OVERLOAD sincos(T, __local T*);
#define GP_COMMON_VECTOR(T, S)                                                                                         \
    GP_COMMON(T)                                                                                                       \
    T GP_OVERLOAD clamp(T, S, S); T GP_OVERLOAD mix(T, T, S); T GP_OVERLOAD step(S, T); T GP_OVERLOAD min(T, S);       \
    T GP_OVERLOAD max(T, S); T GP_OVERLOAD fmin(T, S); T GP_OVERLOAD fmax(T, S); T GP_OVERLOAD smoothstep(S, S, T);
GP_COMMON(float) GP_COMMON_VECTOR(float2, float) GP_COMMON_VECTOR(float3, float) GP_COMMON_VECTOR(float4, float)
GP_COMMON(double) GP_COMMON_VECTOR(double2, double) GP_COMMON_VECTOR(double4, double)
#define GP_GEOMETRY(T, S)                                                                                              \
    S GP_OVERLOAD dot(T, T); S GP_OVERLOAD length(T); S GP_OVERLOAD distance(T, T); T GP_OVERLOAD normalize(T);        \
    S GP_OVERLOAD fast_length(T); S GP_OVERLOAD fast_distance(T, T); T GP_OVERLOAD fast_normalize(T);
GP_GEOMETRY(float, float) GP_GEOMETRY(float2, float) GP_GEOMETRY(float3, float) GP_GEOMETRY(float4, float)
GP_GEOMETRY(double, double) GP_GEOMETRY(double2, double) GP_GEOMETRY(double4, double)
float3 GP_OVERLOAD cross(float3, float3);
float4 GP_OVERLOAD cross(float4, float4);
#define GP_RELATION(F)                                                                                                 \
    int GP_OVERLOAD F(float, float);                                                                                   \
    int GP_OVERLOAD F(double, double);
GP_RELATION(isequal) GP_RELATION(isnotequal) GP_RELATION(isgreater) GP_RELATION(isgreaterequal) GP_RELATION(isless)
GP_RELATION(islessequal) GP_RELATION(isordered)
#define GP_SELECT(T, C) T GP_OVERLOAD select(T, T, C);
GP_SELECT(float, int) GP_SELECT(float, uint) GP_SELECT(int, int) GP_SELECT(int, uint) GP_SELECT(uint, uint)
GP_SELECT(uint, int) GP_SELECT(float2, int2) GP_SELECT(float4, int4) GP_SELECT(int2, int2) GP_SELECT(int4, int4)
GP_SELECT(uint2, int2) GP_SELECT(uint4, int4) GP_SELECT(float4, uint4) GP_SELECT(double, long) GP_SELECT(long, long)
int GP_OVERLOAD any(int);
int GP_OVERLOAD any(int2);
int GP_OVERLOAD any(int4);
int GP_OVERLOAD all(int);
int GP_OVERLOAD all(int2);
int GP_OVERLOAD all(int4);
int printf(__constant const char*, ...);
uint GP_OVERLOAD get_work_dim(void);
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
#define GP_INTEGERS(T, U, S)                                                                                           \
    T GP_OVERLOAD clamp(T, T, T); T GP_OVERLOAD rotate(T, T); T GP_OVERLOAD hadd(T, T); T GP_OVERLOAD rhadd(T, T);     \
    U GP_OVERLOAD abs_diff(T, T); T GP_OVERLOAD add_sat(T, T); T GP_OVERLOAD sub_sat(T, T); T GP_OVERLOAD ctz(T);      \
    T GP_OVERLOAD mad_hi(T, T, T); T GP_OVERLOAD bitselect(T, T, T);
#define GP_INTEGER_VECTORS(T, U, N) GP_INTEGERS(T##N, U##N, T)                                                         \
    T##N GP_OVERLOAD min(T##N, T##N); T##N GP_OVERLOAD max(T##N, T##N); T##N GP_OVERLOAD min(T##N, T);                 \
    T##N GP_OVERLOAD max(T##N, T); T##N GP_OVERLOAD clamp(T##N, T, T); U##N GP_OVERLOAD abs(T##N);
#define GP_ALL_INTEGERS(T, U) GP_INTEGERS(T, U, T) GP_INTEGER_VECTORS(T, U, 2) GP_INTEGER_VECTORS(T, U, 3)             \
    GP_INTEGER_VECTORS(T, U, 4)
GP_ALL_INTEGERS(char, uchar) GP_ALL_INTEGERS(uchar, uchar) GP_ALL_INTEGERS(short, ushort)
GP_ALL_INTEGERS(ushort, ushort) GP_ALL_INTEGERS(int, uint) GP_ALL_INTEGERS(uint, uint) GP_ALL_INTEGERS(long, ulong)
GP_ALL_INTEGERS(ulong, ulong)
int GP_OVERLOAD mul24(int, int);
uint GP_OVERLOAD mul24(uint, uint);
int GP_OVERLOAD mad24(int, int, int);
uint GP_OVERLOAD mad24(uint, uint, uint);
short GP_OVERLOAD upsample(char, uchar);
ushort GP_OVERLOAD upsample(uchar, uchar);
int GP_OVERLOAD upsample(short, ushort);
uint GP_OVERLOAD upsample(ushort, ushort);
long GP_OVERLOAD upsample(int, uint);
ulong GP_OVERLOAD upsample(uint, uint);
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

#define GP_CONVERT_ROUNDED(T, S, R) T GP_OVERLOAD convert_##T##R(S); T GP_OVERLOAD convert_##T##_sat##R(S);
#define GP_CONVERT_FROM(T, S)                                                                                          \
    T GP_OVERLOAD convert_##T(S);                                                                                      \
    T GP_OVERLOAD convert_##T##_rtz(S);                                                                                \
    T GP_OVERLOAD convert_##T##_sat(S);                                                                                \
    T GP_OVERLOAD convert_##T##_sat_rtz(S);                                                                            \
    GP_CONVERT_ROUNDED(T, S, _rte) GP_CONVERT_ROUNDED(T, S, _rtp) GP_CONVERT_ROUNDED(T, S, _rtn)
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

#define GP_CONVERT_LANES(T, S, N) T##N GP_OVERLOAD convert_##T##N(S##N);
#define GP_CONVERT_INTEGER_LANES(T, S, N)                                                                              \
    T##N GP_OVERLOAD convert_##T##N##_rtz(S##N); T##N GP_OVERLOAD convert_##T##N##_sat(S##N);                          \
    T##N GP_OVERLOAD convert_##T##N##_sat_rte(S##N); T##N GP_OVERLOAD convert_##T##N##_rte(S##N);
#define GP_CONVERT_FROM_LANES(T, S)                                                                                    \
    GP_CONVERT_LANES(T, S, 2) GP_CONVERT_LANES(T, S, 3) GP_CONVERT_LANES(T, S, 4) GP_CONVERT_LANES(T, S, 8)
#define GP_CONVERT_INTEGERS_FROM(T, S)                                                                                 \
    GP_CONVERT_INTEGER_LANES(T, S, 2) GP_CONVERT_INTEGER_LANES(T, S, 3) GP_CONVERT_INTEGER_LANES(T, S, 4)
#define GP_EACH_SOURCE(M, T) M(T, char) M(T, uchar) M(T, short) M(T, ushort) M(T, int) M(T, uint) M(T, float)
#define GP_CONVERT_VECTORS(T) GP_EACH_SOURCE(GP_CONVERT_FROM_LANES, T)
GP_CONVERT_VECTORS(char) GP_CONVERT_VECTORS(uchar) GP_CONVERT_VECTORS(short) GP_CONVERT_VECTORS(ushort)
GP_CONVERT_VECTORS(int) GP_CONVERT_VECTORS(uint) GP_CONVERT_VECTORS(float)
#ifdef cl_khr_fp16
half GP_OVERLOAD convert_half(float);
half GP_OVERLOAD convert_half(half);
float GP_OVERLOAD convert_float(half);
GP_CONVERT_FROM_LANES(half, float) GP_CONVERT_FROM_LANES(half, half) GP_CONVERT_FROM_LANES(float, half)
#endif
#define GP_CONVERT_INTEGER_VECTORS(T) GP_EACH_SOURCE(GP_CONVERT_INTEGERS_FROM, T)
GP_CONVERT_INTEGER_VECTORS(char) GP_CONVERT_INTEGER_VECTORS(uchar) GP_CONVERT_INTEGER_VECTORS(short)
GP_CONVERT_INTEGER_VECTORS(ushort) GP_CONVERT_INTEGER_VECTORS(int) GP_CONVERT_INTEGER_VECTORS(uint)
#define GP_AS_LANES(N)                                                                                                 \
    int##N GP_OVERLOAD as_int##N(float##N); uint##N GP_OVERLOAD as_uint##N(float##N);                                  \
    float##N GP_OVERLOAD as_float##N(int##N); float##N GP_OVERLOAD as_float##N(uint##N);                               \
    int##N GP_OVERLOAD as_int##N(uint##N); uint##N GP_OVERLOAD as_uint##N(int##N);
GP_AS_LANES(2) GP_AS_LANES(4)
uchar4 GP_OVERLOAD as_uchar4(uint);
uchar4 GP_OVERLOAD as_uchar4(int);
char4 GP_OVERLOAD as_char4(int);
uint GP_OVERLOAD as_uint(uchar4);
int GP_OVERLOAD as_int(char4);
int GP_OVERLOAD as_int(uchar4);
ushort2 GP_OVERLOAD as_ushort2(uint);
uint GP_OVERLOAD as_uint(ushort2);

#define GP_VLOAD(S, T, N)                                                                                              \
    T##N GP_OVERLOAD vload##N(size_t, const S T*);                                                                     \
    void GP_OVERLOAD vstore##N(T##N, size_t, S T*);
#define GP_VLOADS(T)                                                                                                   \
    GP_VLOAD(__global, T, 2) GP_VLOAD(__global, T, 3) GP_VLOAD(__global, T, 4) GP_VLOAD(__local, T, 2)                 \
    GP_VLOAD(__local, T, 3) GP_VLOAD(__local, T, 4) GP_VLOAD(__private, T, 2) GP_VLOAD(__private, T, 3)                \
    GP_VLOAD(__private, T, 4) GP_VLOAD(__global, T, 8) GP_VLOAD(__global, T, 16) GP_VLOAD(__local, T, 8)
GP_VLOADS(char) GP_VLOADS(uchar) GP_VLOADS(short) GP_VLOADS(ushort) GP_VLOADS(int) GP_VLOADS(uint) GP_VLOADS(long)
GP_VLOADS(ulong) GP_VLOADS(float) GP_VLOADS(double)
#ifdef cl_khr_fp16
GP_VLOADS(half)
#endif

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
// OpenCL C 2.0: atomic types
#if __OPENCL_C_VERSION__ >= 200 || !defined(__OPENCL_C_VERSION__)
#define GP_ATOMICS2(S, A, T)                                                                                           \
    GP_FETCH(S, A, T, add) GP_FETCH(S, A, T, sub) GP_FETCH(S, A, T, min) GP_FETCH(S, A, T, max) GP_FETCH(S, A, T, and) \
    GP_FETCH(S, A, T, or) GP_FETCH(S, A, T, xor)                                                                       \
    T GP_OVERLOAD atomic_exchange(volatile S A*, T);                                                                   \
    T GP_OVERLOAD atomic_exchange_explicit(volatile S A*, T, memory_order, memory_scope);                              \
    T GP_OVERLOAD atomic_load(volatile S A*);                                                                          \
    T GP_OVERLOAD atomic_load_explicit(volatile S A*, memory_order, memory_scope);                                     \
    void GP_OVERLOAD atomic_store(volatile S A*, T);                                                                   \
    void GP_OVERLOAD atomic_store_explicit(volatile S A*, T, memory_order, memory_scope);                              \
    void GP_OVERLOAD atomic_init(volatile S A*, T);
#define GP_FETCH(S, A, T, F)                                                                                           \
    T GP_OVERLOAD atomic_fetch_##F(volatile S A*, T);                                                                  \
    T GP_OVERLOAD atomic_fetch_##F##_explicit(volatile S A*, T, memory_order);                                         \
    T GP_OVERLOAD atomic_fetch_##F##_explicit(volatile S A*, T, memory_order, memory_scope);
GP_ATOMICS2(__global, atomic_int, int) GP_ATOMICS2(__global, atomic_uint, uint) GP_ATOMICS2(__local, atomic_int, int)
GP_ATOMICS2(__local, atomic_uint, uint)
#endif

size_t GP_OVERLOAD get_enqueued_local_size(uint);
size_t GP_OVERLOAD get_global_offset(uint);
void GP_OVERLOAD read_mem_fence(uint);
void GP_OVERLOAD write_mem_fence(uint);
void GP_OVERLOAD prefetch(const __global void*, size_t);
inline size_t get_local_linear_id(void) {
    return get_local_id(0) + get_local_size(0) * (get_local_id(1) + get_local_size(1) * get_local_id(2));
}
inline size_t get_global_linear_id(void) {
    return get_global_id(0) + get_global_size(0) * (get_global_id(1) + get_global_size(1) * get_global_id(2));
}
inline uint get_num_sub_groups(void) {
    const uint all = (uint)(get_local_size(0) * get_local_size(1) * get_local_size(2));
    return (all + get_sub_group_size() - 1u) / get_sub_group_size();
}
inline uint get_max_sub_group_size(void) { return get_sub_group_size(); }

// sub-group functions over full sub-groups, in plain shuffles: they are ported like the author's own code
#define GP_SUB_GROUP(T)                                                                                                \
    inline T GP_OVERLOAD sub_group_broadcast(T v, uint lane) { return sub_group_shuffle(v, lane); }                    \
    GP_SUB_GROUP_OP(T, add, a + b, 0) GP_SUB_GROUP_OP(T, min, min(a, b), a) GP_SUB_GROUP_OP(T, max, max(a, b), a)
#define GP_SUB_GROUP_OP(T, NAME, COMBINE, ZERO)                                                                        \
    inline T GP_OVERLOAD sub_group_reduce_##NAME(T v) {                                                                \
        T a = v;                                                                                                       \
        for (uint by = get_sub_group_size() / 2u; by > 0u; by /= 2u) {                                                 \
            const T b = sub_group_shuffle_xor(a, by);                                                                  \
            a = COMBINE;                                                                                               \
        }                                                                                                              \
        return a;                                                                                                      \
    }                                                                                                                  \
    inline T GP_OVERLOAD sub_group_scan_inclusive_##NAME(T v) {                                                        \
        T b = v;                                                                                                       \
        for (uint by = 1u; by < get_sub_group_size(); by *= 2u) {                                                      \
            const T a = sub_group_shuffle(b, get_sub_group_local_id() >= by ? get_sub_group_local_id() - by : 0u);     \
            if (get_sub_group_local_id() >= by) b = COMBINE;                                                           \
        }                                                                                                              \
        return b;                                                                                                      \
    }
GP_SUB_GROUP(int) GP_SUB_GROUP(uint) GP_SUB_GROUP(float)
#define GP_SCAN_EXCLUSIVE(T)                                                                                           \
    inline T GP_OVERLOAD sub_group_scan_exclusive_add(T v) {                                                           \
        const T all = sub_group_scan_inclusive_add(v);                                                                 \
        const uint lane = get_sub_group_local_id();                                                                    \
        const T before = sub_group_shuffle(all, lane > 0u ? lane - 1u : 0u);                                           \
        return lane > 0u ? before : 0;                                                                                 \
    }
GP_SCAN_EXCLUSIVE(int) GP_SCAN_EXCLUSIVE(uint) GP_SCAN_EXCLUSIVE(float)

// asynchronous copies as plain ones by all threads of the group; waiting is a barrier
#define event_t int
#define GP_ASYNC(T, TO, FROM)                                                                                          \
    inline event_t GP_OVERLOAD async_work_group_copy(TO T* to, const FROM T* from, size_t count, event_t event) {      \
        const size_t threads = get_local_size(0) * get_local_size(1) * get_local_size(2);                              \
        for (size_t i = get_local_linear_id(); i < count; i += threads) to[i] = from[i];                               \
        return event;                                                                                                  \
    }
#define GP_ASYNCS(T) GP_ASYNC(T, __local, __global) GP_ASYNC(T, __global, __local)
GP_ASYNCS(int) GP_ASYNCS(uint) GP_ASYNCS(float) GP_ASYNCS(float4) GP_ASYNCS(double) GP_ASYNCS(uchar)
inline void wait_group_events(int count, event_t* events) { barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE); }
