// Declarations of CUDA's half and bfloat16 for gpuport's reader (cuda_fp16.h and cuda_bf16.h), from the CUDA Math API.
// Functions without a body are in the table backends/cuda/half.py; those with one are read like the user's own.
#pragma once

typedef _Float16 __half;
typedef __half half;
typedef __bf16 __nv_bfloat16;
typedef __nv_bfloat16 nv_bfloat16;
typedef __nv_bfloat16 __hip_bfloat16;

#define CUDART_INF_FP16 __ushort_as_half((unsigned short)0x7C00U)
#define CUDART_NAN_FP16 __ushort_as_half((unsigned short)0x7FFFU)
#define CUDART_MAX_NORMAL_FP16 __ushort_as_half((unsigned short)0x7BFFU)
#define CUDART_ONE_FP16 __ushort_as_half((unsigned short)0x3C00U)
#define CUDART_ZERO_FP16 __ushort_as_half((unsigned short)0x0000U)

#define GP_INLINE static __device__ inline

// everything that both types have: H the scalar, V its pair
#define GP_HALF(H, V)                                                                                                  \
    struct __attribute__((aligned(4))) V {                                                                             \
        H x, y;                                                                                                        \
        V() = default;                                                                                                 \
        __device__ V(H a, H b);                                                                                        \
    };                                                                                                                 \
    __device__ V make_##V(H x, H y);                                                                                   \
    __device__ V __halves2##V(H x, H y);                                                                               \
    __device__ V operator+(const V&, const V&);                                                                        \
    __device__ V operator-(const V&, const V&);                                                                        \
    __device__ V operator*(const V&, const V&);                                                                        \
    __device__ V operator/(const V&, const V&);                                                                        \
    __device__ V operator-(const V&);                                                                                  \
    __device__ V& operator+=(V&, const V&);                                                                            \
    __device__ V& operator-=(V&, const V&);                                                                            \
    __device__ V& operator*=(V&, const V&);                                                                            \
    __device__ V& operator/=(V&, const V&);                                                                            \
    __device__ H __hadd(H, H);                                                                                         \
    __device__ H __hsub(H, H);                                                                                         \
    __device__ H __hmul(H, H);                                                                                         \
    __device__ H __hdiv(H, H);                                                                                         \
    __device__ H __hadd_rn(H, H);                                                                                      \
    __device__ H __hsub_rn(H, H);                                                                                      \
    __device__ H __hmul_rn(H, H);                                                                                      \
    __device__ H __hfma(H, H, H);                                                                                      \
    __device__ H __hneg(H);                                                                                            \
    __device__ H __habs(H);                                                                                            \
    __device__ H __hmin(H, H);                                                                                         \
    __device__ H __hmax(H, H);                                                                                         \
    __device__ bool __heq(H, H);                                                                                       \
    __device__ bool __hne(H, H);                                                                                       \
    __device__ bool __hlt(H, H);                                                                                       \
    __device__ bool __hle(H, H);                                                                                       \
    __device__ bool __hgt(H, H);                                                                                       \
    __device__ bool __hge(H, H);                                                                                       \
    __device__ bool __hisnan(H);                                                                                       \
    __device__ int __hisinf(H);                                                                                        \
    __device__ V __hadd2(V, V);                                                                                        \
    __device__ V __hsub2(V, V);                                                                                        \
    __device__ V __hmul2(V, V);                                                                                        \
    __device__ V __h2div(V, V);                                                                                        \
    __device__ V __hfma2(V, V, V);                                                                                     \
    __device__ V __hneg2(V);                                                                                           \
    __device__ V __habs2(V);                                                                                           \
    __device__ V __hmin2(V, V);                                                                                        \
    __device__ V __hmax2(V, V);                                                                                        \
    __device__ H hfloor(H);                                                                                            \
    __device__ H hceil(H);                                                                                             \
    __device__ H htrunc(H);                                                                                            \
    __device__ H hrint(H);                                                                                             \
    __device__ H hsqrt(H);                                                                                             \
    GP_INLINE H hexp(H a) { return (H)expf((float)a); }                                                                \
    GP_INLINE H hexp2(H a) { return (H)exp2f((float)a); }                                                              \
    GP_INLINE H hexp10(H a) { return (H)exp10f((float)a); }                                                            \
    GP_INLINE H hlog(H a) { return (H)logf((float)a); }                                                                \
    GP_INLINE H hlog2(H a) { return (H)log2f((float)a); }                                                              \
    GP_INLINE H hlog10(H a) { return (H)log10f((float)a); }                                                            \
    GP_INLINE H hsin(H a) { return (H)sinf((float)a); }                                                                \
    GP_INLINE H hcos(H a) { return (H)cosf((float)a); }                                                                \
    GP_INLINE H htanh(H a) { return (H)tanhf((float)a); }                                                              \
    GP_INLINE H hrsqrt(H a) { return (H)rsqrtf((float)a); }                                                            \
    GP_INLINE H hrcp(H a) { return (H)(1.0f / (float)a); }                                                             \
    GP_INLINE V h2exp(V a) { return make_##V(hexp(a.x), hexp(a.y)); }                                                  \
    GP_INLINE V h2exp2(V a) { return make_##V(hexp2(a.x), hexp2(a.y)); }                                               \
    GP_INLINE V h2log(V a) { return make_##V(hlog(a.x), hlog(a.y)); }                                                  \
    GP_INLINE V h2sqrt(V a) { return make_##V(hsqrt(a.x), hsqrt(a.y)); }                                               \
    GP_INLINE V h2rsqrt(V a) { return make_##V(hrsqrt(a.x), hrsqrt(a.y)); }                                            \
    GP_INLINE V h2rcp(V a) { return make_##V(hrcp(a.x), hrcp(a.y)); }                                                  \
    GP_INLINE H __hadd_sat(H a, H b) { return __hmin(__hmax(a + b, (H)0.0f), (H)1.0f); }                               \
    GP_INLINE H __hsub_sat(H a, H b) { return __hmin(__hmax(a - b, (H)0.0f), (H)1.0f); }                               \
    GP_INLINE H __hmul_sat(H a, H b) { return __hmin(__hmax(a * b, (H)0.0f), (H)1.0f); }                               \
    GP_INLINE H __hfma_relu(H a, H b, H c) { return __hmax(__hfma(a, b, c), (H)0.0f); }                                \
    GP_INLINE V __heq2(V a, V b) { return make_##V(a.x == b.x ? (H)1.0f : (H)0.0f, a.y == b.y ? (H)1.0f : (H)0.0f); }  \
    GP_INLINE V __hgt2(V a, V b) { return make_##V(a.x > b.x ? (H)1.0f : (H)0.0f, a.y > b.y ? (H)1.0f : (H)0.0f); }    \
    GP_INLINE V __hlt2(V a, V b) { return make_##V(a.x < b.x ? (H)1.0f : (H)0.0f, a.y < b.y ? (H)1.0f : (H)0.0f); }    \
    GP_INLINE bool __hbeq2(V a, V b) { return a.x == b.x && a.y == b.y; }                                              \
    GP_INLINE bool __hblt2(V a, V b) { return a.x < b.x && a.y < b.y; }                                                \
    GP_INLINE bool __hbgt2(V a, V b) { return a.x > b.x && a.y > b.y; }                                                \
    __device__ H __shfl_sync(unsigned mask, H v, int lane, int width = 32);                                            \
    __device__ H __shfl_up_sync(unsigned mask, H v, unsigned delta, int width = 32);                                   \
    __device__ H __shfl_down_sync(unsigned mask, H v, unsigned delta, int width = 32);                                 \
    __device__ H __shfl_xor_sync(unsigned mask, H v, int lane, int width = 32);                                        \
    __device__ V __shfl_sync(unsigned mask, V v, int lane, int width = 32);                                            \
    __device__ V __shfl_up_sync(unsigned mask, V v, unsigned delta, int width = 32);                                   \
    __device__ V __shfl_down_sync(unsigned mask, V v, unsigned delta, int width = 32);                                 \
    __device__ V __shfl_xor_sync(unsigned mask, V v, int lane, int width = 32);                                        \
    __device__ H atomicAdd(H*, H);                                                                                     \
    __device__ V atomicAdd(V*, V);
GP_HALF(__half, __half2)
GP_HALF(__nv_bfloat16, __nv_bfloat162)
#undef GP_HALF
typedef __half2 half2;
typedef __nv_bfloat162 nv_bfloat162;
#define make_half2 make___half2
#define make_bfloat162 make___nv_bfloat162
#define __halves2half2 __halves2__half2
#define __halves2bfloat162 __halves2__nv_bfloat162

__device__ __half __float2half(float);
__device__ __half __float2half_rn(float);
__device__ __half __float2half_rz(float);
__device__ __half __float2half_rd(float);
__device__ __half __float2half_ru(float);
__device__ __half __double2half(double);
__device__ float __half2float(__half);
__device__ __nv_bfloat16 __float2bfloat16(float);
__device__ __nv_bfloat16 __float2bfloat16_rn(float);
__device__ __nv_bfloat16 __float2bfloat16_rz(float);
__device__ __nv_bfloat16 __double2bfloat16(double);
__device__ float __bfloat162float(__nv_bfloat16);
__device__ __half __int2half_rn(int);
__device__ __half __uint2half_rn(unsigned);
__device__ __half __short2half_rn(short);
__device__ __half __ushort2half_rn(unsigned short);
__device__ __half __ll2half_rn(long long);
__device__ int __half2int_rz(__half);
__device__ unsigned __half2uint_rz(__half);
__device__ short __half2short_rz(__half);
__device__ unsigned short __half2ushort_rz(__half);
__device__ __nv_bfloat16 __int2bfloat16_rn(int);
__device__ __nv_bfloat16 __uint2bfloat16_rn(unsigned);
__device__ int __bfloat162int_rz(__nv_bfloat16);
__device__ unsigned short __half_as_ushort(__half);
__device__ short __half_as_short(__half);
__device__ __half __ushort_as_half(unsigned short);
__device__ __half __short_as_half(short);
__device__ unsigned short __bfloat16_as_ushort(__nv_bfloat16);
__device__ short __bfloat16_as_short(__nv_bfloat16);
__device__ __nv_bfloat16 __ushort_as_bfloat16(unsigned short);
__device__ __nv_bfloat16 __short_as_bfloat16(short);

__device__ __half __low2half(__half2);
__device__ __half __high2half(__half2);
__device__ __nv_bfloat16 __low2bfloat16(__nv_bfloat162);
__device__ __nv_bfloat16 __high2bfloat16(__nv_bfloat162);
GP_INLINE float __low2float(__half2 a) { return (float)a.x; }
GP_INLINE float __high2float(__half2 a) { return (float)a.y; }
GP_INLINE float __low2float(__nv_bfloat162 a) { return (float)a.x; }
GP_INLINE float __high2float(__nv_bfloat162 a) { return (float)a.y; }
GP_INLINE float2 __half22float2(__half2 a) { return make_float2((float)a.x, (float)a.y); }
GP_INLINE float2 __bfloat1622float2(__nv_bfloat162 a) { return make_float2((float)a.x, (float)a.y); }
GP_INLINE __half2 __float2half2_rn(float a) { return make_half2((__half)a, (__half)a); }
GP_INLINE __half2 __floats2half2_rn(float a, float b) { return make_half2((__half)a, (__half)b); }
GP_INLINE __half2 __float22half2_rn(float2 a) { return make_half2((__half)a.x, (__half)a.y); }
GP_INLINE __nv_bfloat162 __float2bfloat162_rn(float a) { return make_bfloat162((__nv_bfloat16)a, (__nv_bfloat16)a); }
GP_INLINE __nv_bfloat162 __floats2bfloat162_rn(float a, float b) {
    return make_bfloat162((__nv_bfloat16)a, (__nv_bfloat16)b);
}
GP_INLINE __nv_bfloat162 __float22bfloat162_rn(float2 a) {
    return make_bfloat162((__nv_bfloat16)a.x, (__nv_bfloat16)a.y);
}
GP_INLINE __half2 __half2half2(__half a) { return make_half2(a, a); }
GP_INLINE __nv_bfloat162 __bfloat162bfloat162(__nv_bfloat16 a) { return make_bfloat162(a, a); }
GP_INLINE __half2 __low2half2(__half2 a) { return make_half2(a.x, a.x); }
GP_INLINE __half2 __high2half2(__half2 a) { return make_half2(a.y, a.y); }
GP_INLINE __half2 __lows2half2(__half2 a, __half2 b) { return make_half2(a.x, b.x); }
GP_INLINE __half2 __highs2half2(__half2 a, __half2 b) { return make_half2(a.y, b.y); }
GP_INLINE __half2 __lowhigh2highlow(__half2 a) { return make_half2(a.y, a.x); }
#undef GP_INLINE
