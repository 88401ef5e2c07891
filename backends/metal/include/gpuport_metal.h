// Declarations of the Metal Shading Language for gpuport's reader: names and types only, nothing here is ever compiled
// to code. Written from Apple's Metal Shading Language Specification. Attributes in [[ ]] are unknown to clang and
// ignored. A constructor call `float4(...)` is a macro for an overloaded maker; the type's own name does not expand.
#pragma once

#define device __attribute__((address_space(1)))
#define constant __attribute__((address_space(2)))
#define threadgroup __attribute__((address_space(3)))
#define thread
#ifndef kernel
#define kernel
#endif
#define INFINITY __builtin_huge_valf()
#define NAN __builtin_nanf("")
#define HUGE_VALF __builtin_huge_valf()
#define FLT_MAX 0x1.fffffep127f
#define FLT_MIN 0x1.0p-126f
#define FLT_EPSILON 0x1.0p-23f
#define INT_MAX 2147483647
#define INT_MIN (-2147483647 - 1)
#define UINT_MAX 0xffffffffu
#define M_PI_F 0x1.921fb6p+1f

typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;
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

typedef _Float16 half;
typedef half float16_t;
typedef __bf16 bfloat;
typedef bfloat bfloat16_t;
constexpr half operator""h(long double x) { return (half)x; }
constexpr bfloat operator""bf(long double x) { return (bfloat)x; }

// MSL has no double: its use must not compile here either
#define double gpuport_metal_has_no_double

namespace metal {
#define GP_VECTORS(T)                                                                                                  \
    typedef T T##2 __attribute__((ext_vector_type(2)));                                                                \
    typedef T T##3 __attribute__((ext_vector_type(3)));                                                                \
    typedef T T##4 __attribute__((ext_vector_type(4)));                                                                \
    typedef T packed_##T##3 __attribute__((ext_vector_type(3)));                                                       \
    T##2 gp_make_##T##2(T);                                                                                            \
    T##3 gp_make_##T##3(T);                                                                                            \
    T##4 gp_make_##T##4(T);                                                                                            \
    T##2 gp_make_##T##2(T, T);                                                                                         \
    T##3 gp_make_##T##3(T, T, T);                                                                                      \
    T##4 gp_make_##T##4(T, T, T, T);
GP_VECTORS(char) GP_VECTORS(uchar) GP_VECTORS(short) GP_VECTORS(ushort) GP_VECTORS(int) GP_VECTORS(uint)
GP_VECTORS(long) GP_VECTORS(ulong) GP_VECTORS(float) GP_VECTORS(half) GP_VECTORS(bfloat)

enum class mem_flags { mem_none = 0, mem_device = 1, mem_threadgroup = 2, mem_texture = 4 };
mem_flags operator|(mem_flags, mem_flags);
void threadgroup_barrier(mem_flags);
void simdgroup_barrier(mem_flags);
enum memory_order { memory_order_relaxed, memory_order_seq_cst };
enum thread_scope { thread_scope_thread, thread_scope_simdgroup, thread_scope_threadgroup, thread_scope_device };
void atomic_thread_fence(mem_flags, memory_order, thread_scope = thread_scope_device);

template <typename To, typename From> To as_type(From);

template <typename T> T gp_load(const T&);
template <typename T> T gp_load(const device T&);
template <typename T> T gp_load(const threadgroup T&);
template <typename T> T gp_load(const constant T&);
template <typename A, typename B> void gp_store(A&&, B&&);
template <typename To, typename From> To gp_cast(From);

#define GP_SHUFFLE(T)                                                                                                  \
    T simd_shuffle(T, ushort);                                                                                         \
    T simd_shuffle_xor(T, ushort);                                                                                     \
    T simd_shuffle_up(T, ushort);                                                                                      \
    T simd_shuffle_down(T, ushort);
GP_SHUFFLE(char) GP_SHUFFLE(uchar) GP_SHUFFLE(short) GP_SHUFFLE(ushort) GP_SHUFFLE(int) GP_SHUFFLE(uint)
GP_SHUFFLE(half) GP_SHUFFLE(half2) GP_SHUFFLE(half4) GP_SHUFFLE(bfloat) GP_SHUFFLE(float) GP_SHUFFLE(float2) GP_SHUFFLE(float4) GP_SHUFFLE(uint2) GP_SHUFFLE(int2)
struct simd_vote {
    typedef ulong vote_t;
    explicit operator vote_t() const;
};
// matrices of a simdgroup; each lane holds some elements, which elements no text may rely on
template <typename T, int Columns, int Rows> struct simdgroup_matrix {
    T x[Columns * Rows / 32];
};
#define thread_elements() x
typedef simdgroup_matrix<half, 8, 8> simdgroup_half8x8;
typedef simdgroup_matrix<float, 8, 8> simdgroup_float8x8;
typedef simdgroup_matrix<bfloat, 8, 8> simdgroup_bfloat8x8;
template <typename T, int Columns, int Rows> simdgroup_matrix<T, Columns, Rows> make_filled_simdgroup_matrix(T);
#define GP_SIMDGROUP(S)                                                                                                \
    template <typename T, int C, int R>                                                                                \
    void simdgroup_load(simdgroup_matrix<T, C, R>&, const S T*, ulong = C);                                            \
    template <typename T, int C, int R>                                                                                \
    void simdgroup_load(simdgroup_matrix<T, C, R>&, const S T*, ulong, ulong2, bool = false);                          \
    template <typename T, int C, int R>                                                                                \
    void simdgroup_store(simdgroup_matrix<T, C, R>, S T*, ulong = C);                                                  \
    template <typename T, int C, int R>                                                                                \
    void simdgroup_store(simdgroup_matrix<T, C, R>, S T*, ulong, ulong2, bool = false);
GP_SIMDGROUP(device)
GP_SIMDGROUP(threadgroup)
template <typename T, typename A, typename B, int C, int R>
void simdgroup_multiply_accumulate(simdgroup_matrix<T, C, R>&, simdgroup_matrix<A, C, R>, simdgroup_matrix<B, C, R>,
                                   simdgroup_matrix<T, C, R>);
bool simd_any(bool);
bool simd_all(bool);
simd_vote simd_ballot(bool);

#define GP_F1(F, T) T F(T);
#define GP_F2(F, T) T F(T, T);
#define GP_PRECISE(T)                                                                                                  \
    GP_F1(exp, T) GP_F1(exp2, T) GP_F1(exp10, T) GP_F1(log, T) GP_F1(log2, T) GP_F1(log10, T) GP_F1(sqrt, T)           \
    GP_F1(rsqrt, T) GP_F1(sin, T) GP_F1(cos, T) GP_F1(tan, T) GP_F1(asin, T) GP_F1(acos, T) GP_F1(atan, T)             \
    GP_F1(sinh, T) GP_F1(cosh, T) GP_F1(tanh, T) GP_F1(asinh, T) GP_F1(acosh, T) GP_F1(atanh, T) GP_F1(floor, T)       \
    GP_F1(ceil, T) GP_F1(trunc, T) GP_F1(round, T) GP_F1(rint, T) GP_F1(fabs, T) GP_F2(pow, T) GP_F2(powr, T)          \
    GP_F2(fmod, T) GP_F2(fmin, T) GP_F2(fmax, T) GP_F2(fdim, T) GP_F2(atan2, T) GP_F2(divide, T)
#define GP_ALL(T) GP_PRECISE(T) GP_F2(copysign, T) T fma(T, T, T); T ldexp(T, int);
GP_ALL(float) GP_ALL(float2) GP_ALL(float4)
namespace precise { GP_PRECISE(float) GP_PRECISE(float2) GP_PRECISE(float4) }
namespace fast { GP_PRECISE(float) GP_PRECISE(float2) GP_PRECISE(float4) }
bool isnan(float);
bool isinf(float);
bool isfinite(float);
bool signbit(float);

#define GP_INTS(T)                                                                                                     \
    T min(T, T);                                                                                                       \
    T max(T, T);                                                                                                       \
    T abs(T);                                                                                                          \
    T mulhi(T, T);                                                                                                     \
    T popcount(T);                                                                                                     \
    T clz(T);                                                                                                          \
    T ctz(T);                                                                                                          \
    T reverse_bits(T);
GP_INTS(char) GP_INTS(uchar) GP_INTS(short) GP_INTS(ushort) GP_INTS(int) GP_INTS(uint) GP_INTS(long) GP_INTS(ulong)
#define GP_HALF(T)                                                                                                     \
    T fma(T, T, T); T fabs(T); T floor(T); T ceil(T); T trunc(T); T rint(T); T round(T); T copysign(T, T);             \
    T abs(T); T min(T, T); T max(T, T);
GP_HALF(half) GP_HALF(half2) GP_HALF(half4)
bool isnan(half);
bool isinf(half);
bool isfinite(half);
bool signbit(half);
float min(float, float);
float max(float, float);
float abs(float);

// distinct types, as in Metal: an atomic function does not take a plain pointer
struct atomic_int { int value; };
struct atomic_uint { uint value; };
struct atomic_float { float value; };
struct atomic_ulong { ulong value; };
void atomic_min_explicit(volatile device atomic_ulong*, ulong, memory_order);
void atomic_max_explicit(volatile device atomic_ulong*, ulong, memory_order);
#define GP_ATOMIC(S, A, T)                                                                                             \
    T atomic_fetch_add_explicit(volatile S A*, T, memory_order);                                                       \
    T atomic_exchange_explicit(volatile S A*, T, memory_order);                                                        \
    T atomic_load_explicit(const volatile S A*, memory_order);                                                         \
    void atomic_store_explicit(volatile S A*, T, memory_order);                                                        \
    bool atomic_compare_exchange_weak_explicit(volatile S A*, T*, T, memory_order, memory_order);
#define GP_ATOMIC_INT(S, A, T)                                                                                         \
    GP_ATOMIC(S, A, T)                                                                                                 \
    T atomic_fetch_sub_explicit(volatile S A*, T, memory_order);                                                       \
    T atomic_fetch_min_explicit(volatile S A*, T, memory_order);                                                       \
    T atomic_fetch_max_explicit(volatile S A*, T, memory_order);                                                       \
    T atomic_fetch_and_explicit(volatile S A*, T, memory_order);                                                       \
    T atomic_fetch_or_explicit(volatile S A*, T, memory_order);                                                        \
    T atomic_fetch_xor_explicit(volatile S A*, T, memory_order);
GP_ATOMIC_INT(device, atomic_int, int) GP_ATOMIC_INT(device, atomic_uint, uint)
GP_ATOMIC_INT(threadgroup, atomic_int, int) GP_ATOMIC_INT(threadgroup, atomic_uint, uint)
GP_ATOMIC(device, atomic_float, float)

// common functions, section 6.3, and their like; scalars beside vectors go to every lane
#define GP_COMMON(T, S)                                                                                                \
    T clamp(T, T, T); T mix(T, T, T); T mix(T, T, S); T step(T, T); T smoothstep(T, T, T); T sign(T); T saturate(T);   \
    T fract(T); T select(T, T, bool); T normalize(T); S dot(T, T); S length(T); S distance(T, T); T powr(T, T);
GP_COMMON(float2, float) GP_COMMON(float3, float) GP_COMMON(float4, float) GP_COMMON(half2, half)
GP_COMMON(half4, half)
// a comparison of vectors has a vector of integers of the same size here, of bools in Metal
#define GP_MASK(M) bool any(M); bool all(M);
#define GP_MASKS(N) GP_MASK(N##2) GP_MASK(N##3) GP_MASK(N##4)
#define GP_SELECT(T, M) T##2 select(T##2, T##2, M##2); T##3 select(T##3, T##3, M##3); T##4 select(T##4, T##4, M##4);
GP_MASKS(char) GP_MASKS(short) GP_MASKS(int) GP_MASKS(long)
GP_SELECT(float, int) GP_SELECT(half, short) GP_SELECT(int, int) GP_SELECT(uint, int) GP_SELECT(short, short)
GP_SELECT(ushort, short)
bool any(bool);
bool all(bool);
#define GP_COMMON_SCALAR(T)                                                                                            \
    T clamp(T, T, T); T mix(T, T, T); T step(T, T); T smoothstep(T, T, T); T sign(T); T saturate(T); T fract(T);       \
    T select(T, T, bool);
GP_COMMON_SCALAR(float) GP_COMMON_SCALAR(half)
#define GP_SPREAD(T, S) T clamp(T, S, S); T min(T, T); T max(T, T); T min(T, S); T max(T, S); T abs(T);
GP_SPREAD(float2, float) GP_SPREAD(float3, float) GP_SPREAD(float4, float)
float3 cross(float3, float3);
#define GP_INTEGER(T, U)                                                                                               \
    T clamp(T, T, T); T rotate(T, T); T hadd(T, T); T rhadd(T, T); U absdiff(T, T); T addsat(T, T); T subsat(T, T);    \
    T select(T, T, bool);
GP_INTEGER(char, uchar) GP_INTEGER(uchar, uchar) GP_INTEGER(short, ushort) GP_INTEGER(ushort, ushort)
GP_INTEGER(int, uint) GP_INTEGER(uint, uint) GP_INTEGER(long, ulong) GP_INTEGER(ulong, ulong)
float sincos(float, thread float&);
#define GP_MIXED(N, F)                                                                                                 \
    N##3 gp_make_##N##3(N##2, F); N##3 gp_make_##N##3(F, N##2); N##4 gp_make_##N##4(N##3, F);                          \
    N##4 gp_make_##N##4(N##2, N##2); N##4 gp_make_##N##4(N##2, F, F); N##4 gp_make_##N##4(F, N##3);
GP_MIXED(float, float) GP_MIXED(int, int) GP_MIXED(uint, uint) GP_MIXED(half, half)
#define GP_CONVERTED(N, T, S)                                                                                          \
    N##2 gp_make_##N##2(S##2); N##3 gp_make_##N##3(S##3); N##4 gp_make_##N##4(S##4);
GP_CONVERTED(float, float, int) GP_CONVERTED(float, float, uint) GP_CONVERTED(float, float, half)
GP_CONVERTED(half, half, float) GP_CONVERTED(int, int, float) GP_CONVERTED(uint, uint, float)
GP_CONVERTED(int, int, uint) GP_CONVERTED(uint, uint, int) GP_CONVERTED(float, float, uchar)
GP_CONVERTED(uchar, uchar, float)

// functions of a whole SIMD-group in plain shuffles: they are ported like the author's own code
uint gp_simd_size();
uint gp_simd_lane();
#define GP_SIMD_REDUCE(T, NAME, COMBINE)                                                                               \
    inline T NAME(T v) {                                                                                               \
        T a = v;                                                                                                       \
        for (uint by = gp_simd_size() / 2u; by > 0u; by /= 2u) {                                                       \
            const T b = simd_shuffle_xor(a, (ushort)by);                                                               \
            a = COMBINE;                                                                                               \
        }                                                                                                              \
        return a;                                                                                                      \
    }
#define GP_SIMD_SCAN(T, NAME, COMBINE, ZERO)                                                                           \
    inline T simd_prefix_inclusive_##NAME(T v) {                                                                       \
        T b = v;                                                                                                       \
        for (uint by = 1u; by < gp_simd_size(); by *= 2u) {                                                            \
            const T a = simd_shuffle(b, (ushort)(gp_simd_lane() >= by ? gp_simd_lane() - by : 0u));                    \
            if (gp_simd_lane() >= by) b = COMBINE;                                                                     \
        }                                                                                                              \
        return b;                                                                                                      \
    }                                                                                                                  \
    inline T simd_prefix_exclusive_##NAME(T v) {                                                                       \
        const T all = simd_prefix_inclusive_##NAME(v);                                                                 \
        const T before = simd_shuffle(all, (ushort)(gp_simd_lane() > 0u ? gp_simd_lane() - 1u : 0u));                  \
        return gp_simd_lane() > 0u ? before : (T)ZERO;                                                                 \
    }
#define GP_SIMD(T)                                                                                                     \
    GP_SIMD_REDUCE(T, simd_sum, a + b) GP_SIMD_REDUCE(T, simd_product, a * b) GP_SIMD_REDUCE(T, simd_min, min(a, b))   \
    GP_SIMD_REDUCE(T, simd_max, max(a, b)) GP_SIMD_SCAN(T, sum, a + b, 0) GP_SIMD_SCAN(T, product, a * b, 1)           \
    inline T simd_broadcast(T v, ushort lane) { return simd_shuffle(v, lane); }                                        \
    inline T simd_broadcast_first(T v) { return simd_shuffle(v, (ushort)0); }
GP_SIMD(int) GP_SIMD(uint) GP_SIMD(float)
#define GP_SIMD_BITS(T)                                                                                                \
    GP_SIMD_REDUCE(T, simd_and, a & b) GP_SIMD_REDUCE(T, simd_or, a | b) GP_SIMD_REDUCE(T, simd_xor, a ^ b)
GP_SIMD_BITS(int) GP_SIMD_BITS(uint)
} // namespace metal

#define char2(...) gp_make_char2(__VA_ARGS__)
#define char3(...) gp_make_char3(__VA_ARGS__)
#define char4(...) gp_make_char4(__VA_ARGS__)
#define uchar2(...) gp_make_uchar2(__VA_ARGS__)
#define uchar3(...) gp_make_uchar3(__VA_ARGS__)
#define uchar4(...) gp_make_uchar4(__VA_ARGS__)
#define short2(...) gp_make_short2(__VA_ARGS__)
#define short3(...) gp_make_short3(__VA_ARGS__)
#define short4(...) gp_make_short4(__VA_ARGS__)
#define ushort2(...) gp_make_ushort2(__VA_ARGS__)
#define ushort3(...) gp_make_ushort3(__VA_ARGS__)
#define ushort4(...) gp_make_ushort4(__VA_ARGS__)
#define int2(...) gp_make_int2(__VA_ARGS__)
#define int3(...) gp_make_int3(__VA_ARGS__)
#define int4(...) gp_make_int4(__VA_ARGS__)
#define uint2(...) gp_make_uint2(__VA_ARGS__)
#define uint3(...) gp_make_uint3(__VA_ARGS__)
#define uint4(...) gp_make_uint4(__VA_ARGS__)
#define long2(...) gp_make_long2(__VA_ARGS__)
#define long3(...) gp_make_long3(__VA_ARGS__)
#define long4(...) gp_make_long4(__VA_ARGS__)
#define ulong2(...) gp_make_ulong2(__VA_ARGS__)
#define ulong3(...) gp_make_ulong3(__VA_ARGS__)
#define ulong4(...) gp_make_ulong4(__VA_ARGS__)
#define half2(...) gp_make_half2(__VA_ARGS__)
#define half3(...) gp_make_half3(__VA_ARGS__)
#define half4(...) gp_make_half4(__VA_ARGS__)
#define bfloat2(...) gp_make_bfloat2(__VA_ARGS__)
#define bfloat3(...) gp_make_bfloat3(__VA_ARGS__)
#define bfloat4(...) gp_make_bfloat4(__VA_ARGS__)
#define float2(...) gp_make_float2(__VA_ARGS__)
#define float3(...) gp_make_float3(__VA_ARGS__)
#define float4(...) gp_make_float4(__VA_ARGS__)
using namespace metal;
