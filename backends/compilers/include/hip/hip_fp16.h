// Half precision of HIP, defined by what clang has built in: for texts that are assembled.
#pragma once
typedef _Float16 __half;
typedef _Float16 half;
GP_VECTOR(_Float16, half, 4, 8)
typedef half2 __half2;

GP_FN __half __hfma(__half a, __half b, __half c) { return __builtin_fmaf16(a, b, c); }
GP_FN __half __habs(__half x) { return __builtin_fabsf16(x); }
GP_FN __half __hmin(__half a, __half b) { return __builtin_fminf16(a, b); }
GP_FN __half __hmax(__half a, __half b) { return __builtin_fmaxf16(a, b); }
GP_FN __half hsqrt(__half x) { return __builtin_sqrtf16(x); }
GP_FN __half hfloor(__half x) { return __builtin_floorf16(x); }
GP_FN __half hceil(__half x) { return __builtin_ceilf16(x); }
GP_FN __half htrunc(__half x) { return __builtin_truncf16(x); }
GP_FN __half hrint(__half x) { return __builtin_rintf16(x); }
GP_FN bool __hisnan(__half x) { return x != x; }
GP_FN unsigned short __half_as_ushort(__half x) { return __builtin_bit_cast(unsigned short, x); }
GP_FN short __half_as_short(__half x) { return __builtin_bit_cast(short, x); }
GP_FN __half __ushort_as_half(unsigned short x) { return __builtin_bit_cast(__half, x); }
GP_FN __half __short_as_half(short x) { return __builtin_bit_cast(__half, x); }
