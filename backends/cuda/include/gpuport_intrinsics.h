// Intrinsics of CUDA in plain CUDA: where a source calls one, its body is ported like the author's own code. From the CUDA
// Math API and the CUDA C++ Programming Guide; the comment above each goes into the port.
#pragma once

// bytes of the 64 bits y:x that the four nibbles of the selector number
__device__ inline unsigned int __byte_perm(unsigned int x, unsigned int y, unsigned int selector) {
    const unsigned long long both = (unsigned long long)y << 32 | x;
    unsigned int result = 0u;
    for (int i = 0; i < 32; i += 8) result |= ((unsigned int)(both >> ((selector >> i / 2 & 7u) * 8u)) & 255u) << i;
    return result;
}
// the sum of c and the products of four signed bytes
__device__ inline int __dp4a(int a, int b, int c) {
    for (int i = 0; i < 32; i += 8) c += (int)(signed char)(a >> i) * (int)(signed char)(b >> i);
    return c;
}
// the sum of c and the products of four unsigned bytes
__device__ inline unsigned int __dp4a(unsigned int a, unsigned int b, unsigned int c) {
    for (int i = 0; i < 32; i += 8) c += (a >> i & 255u) * (b >> i & 255u);
    return c;
}
__device__ inline int __dp4a(char4 a, char4 b, int c) { return c + a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w; }
__device__ inline unsigned int __dp4a(uchar4 a, uchar4 b, unsigned int c) {
    return c + a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w;
}
// the sum of c and the products of two signed halves of a with the two low bytes of b
__device__ inline int __dp2a_lo(int a, int b, int c) {
    return c + (int)(short)a * (int)(signed char)b + (a >> 16) * (int)(signed char)(b >> 8);
}
// the sum of c and the products of two signed halves of a with the two high bytes of b
__device__ inline int __dp2a_hi(int a, int b, int c) {
    return c + (int)(short)a * (int)(signed char)(b >> 16) + (a >> 16) * (b >> 24);
}
// the high word of hi:lo shifted left by shift modulo 32
__device__ inline unsigned int __funnelshift_l(unsigned int lo, unsigned int hi, unsigned int shift) {
    return (unsigned int)(((unsigned long long)hi << 32 | lo) << (shift & 31u) >> 32);
}
// the high word of hi:lo shifted left by shift, at most 32
__device__ inline unsigned int __funnelshift_lc(unsigned int lo, unsigned int hi, unsigned int shift) {
    return (unsigned int)(((unsigned long long)hi << 32 | lo) << (shift < 32u ? shift : 32u) >> 32);
}
// the low word of hi:lo shifted right by shift modulo 32
__device__ inline unsigned int __funnelshift_r(unsigned int lo, unsigned int hi, unsigned int shift) {
    return (unsigned int)(((unsigned long long)hi << 32 | lo) >> (shift & 31u));
}
// the low word of hi:lo shifted right by shift, at most 32
__device__ inline unsigned int __funnelshift_rc(unsigned int lo, unsigned int hi, unsigned int shift) {
    return (unsigned int)(((unsigned long long)hi << 32 | lo) >> (shift < 32u ? shift : 32u));
}
// the low 32 bits of the product of the low 24 bits
__device__ inline int __mul24(int x, int y) { return (x << 8 >> 8) * (y << 8 >> 8); }
// the low 32 bits of the product of the low 24 bits
__device__ inline unsigned int __umul24(unsigned int x, unsigned int y) { return (x & 0xffffffu) * (y & 0xffffffu); }
// |x - y| + z
__device__ inline unsigned int __sad(int x, int y, unsigned int z) {
    return z + (x > y ? (unsigned int)x - (unsigned int)y : (unsigned int)y - (unsigned int)x);
}
// |x - y| + z
__device__ inline unsigned int __usad(unsigned int x, unsigned int y, unsigned int z) { return z + (x > y ? x - y : y - x); }
// (x + y) >> 1 without overflow
__device__ inline int __hadd(int x, int y) { return (x & y) + ((x ^ y) >> 1); }
// (x + y + 1) >> 1 without overflow
__device__ inline int __rhadd(int x, int y) { return (x | y) - ((x ^ y) >> 1); }
// (x + y) >> 1 without overflow
__device__ inline unsigned int __uhadd(unsigned int x, unsigned int y) { return (x & y) + ((x ^ y) >> 1); }
// (x + y + 1) >> 1 without overflow
__device__ inline unsigned int __urhadd(unsigned int x, unsigned int y) { return (x | y) - ((x ^ y) >> 1); }

// sums of four bytes, each modulo 256
__device__ inline unsigned int __vadd4(unsigned int a, unsigned int b) {
    return ((a & 0x7f7f7f7fu) + (b & 0x7f7f7f7fu)) ^ ((a ^ b) & 0x80808080u);
}
// sums of two halves, each modulo 65536
__device__ inline unsigned int __vadd2(unsigned int a, unsigned int b) {
    return ((a & 0x7fff7fffu) + (b & 0x7fff7fffu)) ^ ((a ^ b) & 0x80008000u);
}
// differences of four bytes, each modulo 256
__device__ inline unsigned int __vsub4(unsigned int a, unsigned int b) {
    return ((a | 0x80808080u) - (b & 0x7f7f7f7fu)) ^ ((a ^ ~b) & 0x80808080u);
}
// differences of two halves, each modulo 65536
__device__ inline unsigned int __vsub2(unsigned int a, unsigned int b) {
    return ((a | 0x80008000u) - (b & 0x7fff7fffu)) ^ ((a ^ ~b) & 0x80008000u);
}
// 255 in each byte where a and b have the same
__device__ inline unsigned int __vcmpeq4(unsigned int a, unsigned int b) {
    unsigned int result = 0u;
    for (int i = 0; i < 32; i += 8) result |= ((a ^ b) >> i & 255u) == 0u ? 255u << i : 0u;
    return result;
}
// 255 in each byte where a and b differ
__device__ inline unsigned int __vcmpne4(unsigned int a, unsigned int b) {
    unsigned int result = 0u;
    for (int i = 0; i < 32; i += 8) result |= ((a ^ b) >> i & 255u) != 0u ? 255u << i : 0u;
    return result;
}
// differences of four signed bytes, each clamped to -128..127
__device__ inline unsigned int __vsubss4(unsigned int a, unsigned int b) {
    unsigned int result = 0u;
    for (int i = 0; i < 32; i += 8) {
        const int d = (int)(signed char)(a >> i) - (int)(signed char)(b >> i);
        result |= (unsigned int)((d < -128 ? -128 : d > 127 ? 127 : d) & 255) << i;
    }
    return result;
}
// |a - b| of four unsigned bytes
__device__ inline unsigned int __vabsdiffu4(unsigned int a, unsigned int b) {
    unsigned int result = 0u;
    for (int i = 0; i < 32; i += 8) {
        const unsigned int x = a >> i & 255u, y = b >> i & 255u;
        result |= (x > y ? x - y : y - x) << i;
    }
    return result;
}
// the sum of |a - b| over four unsigned bytes
__device__ inline unsigned int __vsadu4(unsigned int a, unsigned int b) {
    unsigned int sum = 0u;
    for (int i = 0; i < 32; i += 8) {
        const unsigned int x = a >> i & 255u, y = b >> i & 255u;
        sum += x > y ? x - y : y - x;
    }
    return sum;
}
// the larger of each of four unsigned bytes
__device__ inline unsigned int __vmaxu4(unsigned int a, unsigned int b) {
    unsigned int result = 0u;
    for (int i = 0; i < 32; i += 8) {
        const unsigned int x = a >> i & 255u, y = b >> i & 255u;
        result |= (x > y ? x : y) << i;
    }
    return result;
}
// the smaller of each of four unsigned bytes
__device__ inline unsigned int __vminu4(unsigned int a, unsigned int b) {
    unsigned int result = 0u;
    for (int i = 0; i < 32; i += 8) {
        const unsigned int x = a >> i & 255u, y = b >> i & 255u;
        result |= (x < y ? x : y) << i;
    }
    return result;
}

// clamped to 0..1, NaN to 0
__device__ inline float __saturatef(float x) { return fminf(fmaxf(x, 0.0f), 1.0f); }
__device__ inline void sincosf(float x, float* sine, float* cosine) {
    *sine = sinf(x);
    *cosine = cosf(x);
}
__device__ inline void sincos(double x, double* sine, double* cosine) {
    *sine = sin(x);
    *cosine = cos(x);
}
__device__ inline void __sincosf(float x, float* sine, float* cosine) {
    *sine = __sinf(x);
    *cosine = __cosf(x);
}
// sin(pi x): brought to -1/2..1/2 exactly, so that its error is that of sin and 2 ulp more
__device__ inline float sinpif(float x) {
    float r = x - 2.0f * rintf(0.5f * x);
    if (fabsf(r) > 0.5f) r = copysignf(1.0f, r) - r;
    return sinf(3.14159265f * r);
}
// cos(pi x): brought to 0..1 exactly and from there to a sine, so that its error is that of sin and 2 ulp more
__device__ inline float cospif(float x) {
    const float r = fabsf(x - 2.0f * rintf(0.5f * x));
    return sinf(3.14159265f * (0.5f - r));
}
__device__ inline void sincospif(float x, float* sine, float* cosine) {
    *sine = sinpif(x);
    *cosine = cospif(x);
}
__device__ inline float rhypotf(float x, float y) { return 1.0f / hypotf(x, y); }
__device__ inline float norm3df(float a, float b, float c) { return hypotf(hypotf(a, b), c); }
__device__ inline float rnorm3df(float a, float b, float c) { return 1.0f / hypotf(hypotf(a, b), c); }
__device__ inline float norm4df(float a, float b, float c, float d) { return hypotf(hypotf(a, b), hypotf(c, d)); }
// erfc(-x / sqrt(2)) / 2; what the argument loses by rounding is added back to first order
__device__ inline float normcdff(float x) {
    const float high = -0.707106769f * x;
    const float low = fmaf(-0.707106769f, x, -high) - 1.21016179e-8f * x;
    const float value = erfcf(high);
    return fabsf(high) < 10.0f ? 0.5f * (value - 1.12837917f * expf(-high * high) * low) : 0.5f * value;
}
// the fraction and, through the pointer, the whole part, both with the sign of x
__device__ inline float modff(float x, float* whole) {
    *whole = truncf(x);
    return copysignf(isinf(x) ? 0.0f : x - truncf(x), x);
}
// x = result * 2^exponent with a result of 0.5 or more and less than 1
__device__ inline float frexpf(float x, int* exponent) {
    const bool tiny = fabsf(x) < 1.17549435e-38f;
    const unsigned int bits = __float_as_uint(tiny ? x * 8388608.0f : x);
    const int biased = (int)(bits >> 23 & 255u);
    if (biased == 0 || biased == 255) {
        *exponent = 0;
        return x;
    }
    *exponent = biased - (tiny ? 149 : 126);
    return __uint_as_float((bits & 0x807fffffu) | 0x3f000000u);
}
__device__ inline int __float2int_rn(float x) { return (int)rintf(x); }
__device__ inline int __float2int_rd(float x) { return (int)floorf(x); }
__device__ inline int __float2int_ru(float x) { return (int)ceilf(x); }
__device__ inline unsigned int __float2uint_rn(float x) { return (unsigned int)rintf(x); }
__device__ inline unsigned int __float2uint_rd(float x) { return (unsigned int)floorf(x); }
__device__ inline unsigned int __float2uint_ru(float x) { return (unsigned int)ceilf(x); }
__device__ inline long long __float2ll_rn(float x) { return (long long)rintf(x); }
__device__ inline int __double2int_rn(double x) { return (int)rint(x); }
__device__ inline int __double2int_rd(double x) { return (int)floor(x); }
__device__ inline int __double2int_ru(double x) { return (int)ceil(x); }
__device__ inline long lrintf(float x) { return (long)rintf(x); }
__device__ inline long lroundf(float x) { return (long)roundf(x); }
__device__ inline long long llrintf(float x) { return (long long)rintf(x); }
__device__ inline int __double2hiint(double x) { return (int)(__double_as_longlong(x) >> 32); }
__device__ inline int __double2loint(double x) { return (int)__double_as_longlong(x); }
__device__ inline double __hiloint2double(int hi, int lo) {
    return __longlong_as_double((long long)hi << 32 | (long long)(unsigned int)lo);
}

// the old value; memory counts up, from limit on to 0
__device__ inline unsigned int atomicInc(unsigned int* address, unsigned int limit) {
    unsigned int seen = atomicOr(address, 0u), expected;
    do {
        expected = seen;
        seen = atomicCAS(address, expected, expected >= limit ? 0u : expected + 1u);
    } while (seen != expected);
    return seen;
}
// the old value; memory counts down, from 0 and from above limit to limit
__device__ inline unsigned int atomicDec(unsigned int* address, unsigned int limit) {
    unsigned int seen = atomicOr(address, 0u), expected;
    do {
        expected = seen;
        seen = atomicCAS(address, expected, expected == 0u || expected > limit ? limit : expected - 1u);
    } while (seen != expected);
    return seen;
}

// how many threads of the group have a predicate that is not 0
__device__ inline int __syncthreads_count(int predicate) {
    __shared__ int count;
    if (threadIdx.x == 0 && threadIdx.y == 0 && threadIdx.z == 0) count = 0;
    __syncthreads();
    if (predicate != 0) atomicAdd(&count, 1);
    __syncthreads();
    const int result = count;
    __syncthreads();
    return result;
}
__device__ inline int __syncthreads_or(int predicate) { return __syncthreads_count(predicate != 0) > 0; }
__device__ inline int __syncthreads_and(int predicate) { return __syncthreads_count(predicate == 0) == 0; }

// the lanes of the mask that have the same value
__device__ inline unsigned int __match_any_sync(unsigned int mask, unsigned int value) {
    unsigned int peers = mask;
    for (int i = 0; i < 32; ++i) {
        const bool one = (value >> i & 1u) != 0u;
        const unsigned int ones = __ballot_sync(mask, one);
        peers &= one ? ones : ~ones;
    }
    return peers;
}
// the lanes of the mask that have the same value
__device__ inline unsigned int __match_any_sync(unsigned int mask, unsigned long long value) {
    unsigned int peers = mask;
    for (int i = 0; i < 64; ++i) {
        const bool one = (value >> i & 1ull) != 0ull;
        const unsigned int ones = __ballot_sync(mask, one);
        peers &= one ? ones : ~ones;
    }
    return peers;
}
__device__ inline unsigned int __match_any_sync(unsigned int mask, int value) {
    return __match_any_sync(mask, (unsigned int)value);
}
__device__ inline unsigned int __match_any_sync(unsigned int mask, long long value) {
    return __match_any_sync(mask, (unsigned long long)value);
}
__device__ inline unsigned int __match_any_sync(unsigned int mask, float value) {
    return __match_any_sync(mask, __float_as_uint(value));
}
// the mask if all its lanes have the same value, else 0
template <typename T> __device__ inline unsigned int __match_all_sync(unsigned int mask, T value, int* same) {
    const bool all = __match_any_sync(mask, value) == mask;
    *same = all;
    return all ? mask : 0u;
}

#define GP_REDUCE(F, T, COMBINE)                                                                                       \
    __device__ T F(unsigned int mask, T value);                                                                        \
    __device__ inline T F##_some(unsigned int mask, T value) {                                                         \
        T a = __shfl_sync(mask, value, __ffs(mask) - 1);                                                               \
        for (unsigned int rest = mask & (mask - 1u); rest != 0u; rest &= rest - 1u) {                                  \
            const T b = __shfl_sync(mask, value, __ffs(rest) - 1);                                                     \
            a = COMBINE;                                                                                               \
        }                                                                                                              \
        return a;                                                                                                      \
    }                                                                                                                  \
    __device__ inline T F##_all(T value) {                                                                             \
        T a = value;                                                                                                   \
        for (int distance = 16; distance > 0; distance /= 2) {                                                         \
            const T b = __shfl_xor_sync(0xffffffffu, a, distance);                                                     \
            a = COMBINE;                                                                                               \
        }                                                                                                              \
        return a;                                                                                                      \
    }
GP_REDUCE(__reduce_add_sync, int, a + b)
GP_REDUCE(__reduce_add_sync, unsigned int, a + b)
GP_REDUCE(__reduce_min_sync, int, min(a, b))
GP_REDUCE(__reduce_min_sync, unsigned int, min(a, b))
GP_REDUCE(__reduce_max_sync, int, max(a, b))
GP_REDUCE(__reduce_max_sync, unsigned int, max(a, b))
GP_REDUCE(__reduce_and_sync, unsigned int, a & b)
GP_REDUCE(__reduce_or_sync, unsigned int, a | b)
GP_REDUCE(__reduce_xor_sync, unsigned int, a ^ b)
#undef GP_REDUCE

// PTX bfe: length bits of a from bit start on
__device__ inline unsigned int gp_bfe_u32(unsigned int a, unsigned int start, unsigned int length) {
    const unsigned int from = start & 255u, count = length & 255u;
    const unsigned int moved = from < 32u ? a >> from : 0u;
    return count < 32u ? moved & ((1u << count) - 1u) : moved;
}
// PTX bfe: length bits of a from bit start on, with the sign of the last one that a has
__device__ inline int gp_bfe_s32(int a, unsigned int start, unsigned int length) {
    const unsigned int from = start & 255u, count = length & 255u;
    if (count == 0u) return 0;
    const int moved = from < 32u ? a >> from : a >> 31;
    return count < 32u ? (int)((unsigned int)moved << (32u - count)) >> (32u - count) : moved;
}
// PTX bfi: b with length bits from bit start on replaced by those of a
__device__ inline unsigned int gp_bfi_b32(unsigned int a, unsigned int b, unsigned int start, unsigned int length) {
    const unsigned int from = start & 255u, count = length & 255u;
    const unsigned int ones = count < 32u ? (1u << count) - 1u : 0xffffffffu;
    const unsigned int mask = from < 32u ? ones << from : 0u;
    return (b & ~mask) | ((from < 32u ? a << from : 0u) & mask);
}
// PTX prmt: bytes of the 64 bits b:a that the four nibbles of the selector number, or their signs where bit 3 is set
__device__ inline unsigned int gp_prmt_b32(unsigned int a, unsigned int b, unsigned int selector) {
    const unsigned long long both = (unsigned long long)b << 32 | a;
    unsigned int result = 0u;
    for (int i = 0; i < 32; i += 8) {
        const unsigned int nibble = selector >> i / 2 & 15u;
        const unsigned int byte = (unsigned int)(both >> ((nibble & 7u) * 8u)) & 255u;
        result |= (nibble < 8u ? byte : byte < 128u ? 0u : 255u) << i;
    }
    return result;
}
// PTX lop3: the logical function of three words that the table has a bit for each of their eight combinations of
__device__ inline unsigned int gp_lop3_b32(unsigned int a, unsigned int b, unsigned int c, int table) {
    unsigned int result = 0u;
    for (int i = 0; i < 8; ++i) {
        const unsigned int same = ((i & 4) != 0 ? a : ~a) & ((i & 2) != 0 ? b : ~b) & ((i & 1) != 0 ? c : ~c);
        if ((table >> i & 1) != 0) result |= same;
    }
    return result;
}
// PTX bfind: the number of the highest set bit, all ones for 0
__device__ inline unsigned int gp_bfind_u32(unsigned int a) { return (unsigned int)(31 - __clz((int)a)); }
