"""What C++ says of integers, conversions, order and objects: the reader's program computes what the compiler's does.

Each case is a function `long long f(int i, int x, float v)`, compiled for the host by the same clang and run there, and
read as CUDA and emulated: the values must be the same to the last bit.
"""

from __future__ import annotations

import ctypes
import subprocess

import numpy as np
import pytest
from gpuport.backends.base import Launch
from gpuport.backends.clang.tool import clang_command
from gpuport.backends.emulator import emulate
from gpuport.backends.readers import read_source
from gpuport.hwmodels import load_machine
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.validate import validate

X = np.array(
    [0, 1, -1, 2, -2, 3, 7, -7, 31, 32, 100, -100, 127, 128, 200, -128, -129, 255, 256, 1000, -1000, 32767, -32768,
     65535, 65536, 123456, -123456, 0x7FFFFFFF, -0x80000000, 0x12345678, -0x12345678, 5], dtype=np.int64,
).astype(np.int32)  # fmt: skip
V = np.array(
    [0.0, -0.0, 0.5, -0.5, 1.0, 1.5, -1.5, 2.5, -2.5, 0.1, -0.1, 3.999, 100.25, -100.75, 1e6, -1e6, 16777216.0,
     16777217.0, 1e-3, 1e-20, 0.3333333, 123.456, -7.0, 7.0, 1e4, 2.0, 3.0, 255.9, -255.9, np.nan, np.inf, -np.inf],
    dtype=np.float32,
)  # fmt: skip

# name: (what stands before the function, its body)
CASES: dict[str, tuple[str, str]] = {
    # integers
    "char is signed": ("", "char c = (char)x; return c;"),
    "char arithmetic promotes": ("", "char a = (char)x; char b = 100; return a * b;"),
    "unsigned char wraps on store": ("", "unsigned char c = x; c += 200; return c;"),
    "signed char compound": ("", "signed char c = x; c *= 3; c -= 7; return c;"),
    "short shift": ("", "short s = x; return s << 3;"),
    "unsigned short product": ("", "unsigned short a = x; return (a & 0x7fff) * a;"),
    "short increment wraps": ("", "short s = x; ++s; s++; return s;"),
    "char postfix": ("", "unsigned char c = x; int a = c++; int b = ++c; return a * 1000 + b;"),
    "mixed comparison": ("", "return x < 5u;"),
    "mixed comparison 64": ("", "unsigned u = 5; long long l = x; return l < u;"),
    "minus unsigned": ("", "unsigned u = x; return -u;"),
    "complement of short": ("", "unsigned short s = x; return ~s;"),
    "unsigned division": ("", "return (unsigned)x / 3u + (unsigned)x % 7u;"),
    "signed by unsigned division": ("", "return x / 7u;"),
    "negative division": ("", "return x / 4 * 100 + x % 4;"),
    "shift of negative": ("", "return x >> 3;"),
    "logical shift": ("", "return (unsigned)x >> 3;"),
    "shift by long": ("", "long long n = i & 31; return 1u << n;"),
    "64-bit shift": ("", "return (long long)x << 20;"),
    "32-bit shift then widened": ("", "return (long long)((unsigned)x << 20);"),
    "product widened late": ("", "return (long long)((unsigned)x * 12345u);"),
    "product widened early": ("", "return (long long)x * 12345;"),
    "int to unsigned long": ("", "unsigned long long u = x; return u >> 1;"),
    "unsigned to long": ("", "long long l = (unsigned)x; return l;"),
    "long literal": ("", "return x + 4294967296L;"),
    "hex literal is unsigned": ("", "return x + 0xffffffff;"),
    "decimal literal is long": ("", "return x + 4294967295;"),
    "octal and binary": ("", "return x + 017 + 0b1011 + 1'000;"),
    "character literals": ("", "return x + 'a' * '\\n' + '\\xff';"),
    "bool arithmetic": ("", "bool b = x > 3; bool c = x & 4; return b + c + (b == c) * 10 + !b * 100;"),
    "bool compound": ("", "bool b = false; b |= x; b += 1; bool c = true; c &= x > 0; return b * 2 + c;"),
    "bool from float": ("", "bool b = v; return b;"),
    "minus bool": ("", "return -(x > 3) + ~(x > 5);"),
    "bool shifts": ("", "return (x > 3) << 4 | (x < 3) << 1;"),
    "bool ordering": ("", "return (x > 3) < (x > 10);"),
    "comparison chain": ("", "return (0 < x) < 2;"),
    "ternary mixes signs": ("", "unsigned u = 7; return (i & 1) ? x : u;"),
    "ternary mixes widths": ("", "long long l = 1LL << 40; return (i & 1) ? x : l;"),
    "ternary int and float": ("", "return (long long)(((i & 1) ? x : 0.5f) * 4);"),
    "ternary char and int": ("", "char c = x; return (i & 1) ? c : 1000;"),
    "gnu ternary": ("", "return x ?: 77;"),
    "nested ternaries": ("", "return x < 0 ? -1 : x == 0 ? 0 : x < 100 ? 1 : 2;"),
    "sizeof": ("struct S { char c; double d; short s; }; union U { int a[3]; char c; };",
               "int a[3][5]; return sizeof(a) + 100 * sizeof(a[0]) + 10000 * sizeof(S) + 1000000 * sizeof(U)"
               " + sizeof(char) + sizeof('a') + sizeof(1.0f) + sizeof(x + 1ll) + sizeof(bool) + sizeof(void*) + sizeof(&x);"),
    "sizeof is unsigned long": ("", "return x < (int)sizeof(int) ? x - sizeof(int) : 1;"),
    "alignof": ("struct alignas(16) S { char c; };", "return alignof(S) + 100 * alignof(double) + sizeof(S) * 10000;"),
    "offsets in a struct": ("struct S { char c; int i; short s; long long l; };",
                            "S s; return (char*)&s.l - (char*)&s + 100 * ((char*)&s.s - (char*)&s);"),
    "compound division": ("", "int a = x; a /= 2.5; return a;"),
    "compound shift": ("", "int a = x; a >>= 2; unsigned b = x; b >>= 2; a ^= b; return a;"),
    "compound with unsigned": ("", "int a = x; a /= 3u; return a;"),
    "compound with wider": ("", "int a = x; a += 1LL << 33; a -= 5; return a;"),
    "compound remainder": ("", "unsigned char a = 200; a %= 7; a <<= 5; a |= x; return a;"),
    "compound float to int": ("", "int a = 10; a *= 0.3f; a += 0.9; return a;"),
    "chained assignment narrows": ("", "int a; char c; a = c = x; return a;"),
    "assignment's value": ("", "int a; int b = (a = x) + 1; return a * 3LL + b;"),
    "assignment as condition": ("", "int a; if ((a = x & 3)) return a + 10; return a;"),
    "increment in subscript": ("", "int a[4] = {1, 2, 3, 4}; int k = 0; a[k++] = a[k] + 10; return a[0] * 100 + a[1] * 10 + k;"),
    "post and pre in one": ("", "int k = x & 7; int a[16] = {}; a[k++] = 5; a[++k] = 7; return a[x & 7] * 100 + a[k] * 10 + k;"),
    "declarators in order": ("", "int k = x & 7; int a = k, b = k++, c = k; return a * 100 + b * 10 + c;"),
    "comma statement in order": ("", "int k = x & 7, a, b; a = k, b = k++, a += k; return a * 100 + b * 10 + k;"),
    "comma in for": ("", "int s = 0; for (int a = 0, b = x & 15; a < b; ++a, b--) s += a * b; return s;"),
    "comma with increments in for step": ("", "int s = 0, k = 0; for (int a = 0; a < 5; s += k, k++, ++a) {} return s * 10 + k;"),
    "comma value": ("", "int a = 3; int b = (a += x & 7, a * 2); return a * 100 + b;"),
    "short circuit": ("", "int k = 0; bool r = x > 3 && ++k > 0; return k * 10 + r;"),
    "short circuit or": ("", "int k = 0; bool r = x > 3 || (k = 5) > 7; return k * 10 + r;"),
    "short circuit in if": ("", "int k = 0; if (x > 3 && k++ == 0 && (k += x) > 100) return k; return -k;"),
    "ternary with effects": ("", "int k = 0, m = 0; int r = x > 3 ? k++ : (m += 2); return k * 100 + m * 10 + r;"),
    "effect in while": ("", "int k = x & 15, s = 0; while (k-- > 3) s += k; return s * 100 + k;"),
    "effect in while with continue": ("", "int k = x & 15, s = 0; while (k-- && s < 50) { if (k & 1) continue; s += k; } return s * 100 + k;"),
    "effect in for condition": ("", "int s = 0, k = 9; for (int a = 0; k-- > a; ++a) { if (a == 1) continue; s += a * 10 + k; } return s;"),
    "effect in do while": ("", "int k = x & 7, s = 0; do { s += k; if (s > 9) continue; s += 1; } while (k-- > 1); return s * 10 + k;"),
    "for without parts": ("", "int k = 0; for (;;) { if (++k > (x & 7)) break; } return k;"),
    "loop variable after": ("", "int k; for (k = 0; k < (x & 7); k += 2) {} return k;"),
    "unsigned countdown": ("", "int s = 0; for (unsigned k = x & 7; k-- > 0;) s += k; return s;"),
    "declaration in while": ("", "int k = x & 7, s = 0; while (int r = k) { s += r; --k; } return s;"),
    "declaration in if": ("", "if (int r = x & 3) return r; else return r - 5;"),
    "init in if": ("", "if (int r = x & 3; r > 1) return r; else return -r;"),
    "init in switch": ("", "switch (int r = x & 3; r) { case 0: return 5; case 1: return r + 7; default: return -r; }"),
    "switch falls through": ("", "int r = 0; switch (x & 7) { case 0: r += 1; case 1: r += 10; break; case 2: case 3: r = 5;"
                                 " default: r += 100; } return r;"),
    "switch on char": ("", "switch ((char)x) { case 'a': return 1; case -1: return 2; case 127: return 3; } return 4;"),
    "switch in loop": ("", "int s = 0; for (int k = 0; k < 6; ++k) { switch (k ^ (x & 3)) { case 1: continue; case 3: s += 100; break;"
                           " default: s += k; } s += 1000; } return s;"),
    "break in nested loop in switch": ("", "int s = 0; switch (x & 3) { case 1: for (int k = 0; k < 9; ++k) { if (k > 3) break; s += k; }"
                                           " s += 50; break; case 2: s = 7; } return s;"),
    "conditional break in switch": ("", "int s = 0; switch (x & 3) { case 1: if (x > 10) break; s += 5; case 2: s += 7; } return s;"),
    "condition with break on one side": ("", "int s = 0; switch (x & 3) { case 1: if (x > 10) { s = 3; if (x > 100) break; s = 4; } s += 5; break;"
                                             " case 2: s += 7; } return s;"),
    "switch variable of the block": ("", "switch (x & 3) { int t; case 0: t = 5; return t; case 1: t = 6; return t * 2; default: return 0; }"),
    # floats
    "double literal stays double": ("", "return v > -1e9f && v < 1e9f ? (long long)(v * 0.1 * 1e6) : 0;"),
    "float literal": ("", "return v > -1e9f && v < 1e9f ? (long long)(v * 0.1f * 1e6f) : 0;"),
    "float sum in double": ("", "float s = v > -1e9f && v < 1e9f ? v : 2; s += 0.1; return (long long)((double)s * 1e9);"),
    "float times int": ("", "return (long long)(0.3f * x);"),
    "int by float": ("", "return (long long)(x / 2.5f * 1000);"),
    "int division then float": ("", "return (long long)((float)(x / 2) * 10.0f);"),
    "float to int truncates": ("", "return v > -1e9f && v < 1e9f ? (int)v : 0;"),
    "float to unsigned char": ("", "return v >= 0 && v < 200 ? (unsigned char)v : 0;"),
    "int to float rounds": ("", "return (long long)(float)x;"),
    "unsigned to float": ("", "return (long long)(float)(unsigned)x;"),
    "64-bit to float": ("", "return (long long)(float)((long long)x * 1000003);"),
    "NaN compares": ("", "return (v < 1) + (v > 1) * 2 + (v == v) * 4 + (v != v) * 8 + !(v < 1) * 16 + (v <= v) * 32;"),
    "NaN is true": ("", "if (v) return 1; return !v;"),
    "minus zero": ("", "return 1.0f / (v * 0.0f) > 0;"),
    "bool conversion of minus zero": ("", "return v ? 1 : 0;"),
    "float increment": ("", "float f = v; f++; --f; f--; return f < 1e6f && f > -1e6f ? (long long)(f * 100) : 0;"),
    "float modulo by hand": ("", "float f = v < 1000 && v > -1000 ? v : 0; return (long long)((f - (int)f) * 1000);"),
    "float constants": ("constexpr float A = 0.1; const double B = 0.1; enum { Q = 3 };", "return (long long)((A - B) * 1e12) + Q;"),
    "hexadecimal float": ("", "return (long long)(0x1.8p3f * 2 + 1e0 + .5 + 5.);"),
    # arrays, pointers
    "pointer steps": ("", "int a[5] = {1, 2, 3, 4, 5}; int* p = a; int r = *p++; r = r * 10 + *++p; r = r * 10 + *p--; r = r * 10 + p[1];"
                          " return r * 10 + (p - a);"),
    "increment through pointer": ("", "int a[3] = {1, 2, 3}; int* p = a; (*p)++; ++*p; *p++ += 5; *p -= 1; return a[0] * 100 + a[1] * 10 + (p - a);"),
    "negative index": ("", "int a[5] = {1, 2, 3, 4, 5}; int* p = a + 3; return p[-2] * 10 + *(p - 1) + 2[p - 1];"),
    "unsigned offset subtracted": ("", "int a[5] = {1, 2, 3, 4, 5}; unsigned k = 2; int* p = a + 4; return *(p - k);"),
    "negative offset added": ("", "int a[5] = {1, 2, 3, 4, 5}; int k = -2; int* p = a + 4; return *(p + k) + p[k];"),
    "char index": ("", "int a[4] = {1, 2, 3, 4}; unsigned char k = x & 3; return a[k];"),
    "bool index": ("", "int a[2] = {7, 9}; return a[x > 5];"),
    "pointer comparison": ("", "int a[5] = {}; int* p = a; int n = 0; while (p < a + 5) { *p = n++; ++p; } return a[4] * 10 + (p == a + 5);"),
    "rows": ("", "int a[3][4] = {{1, 2}, {3}, {4, 5, 6, 7}}; int s = 0; for (int r = 0; r < 3; ++r) for (int c = 0; c < 4; ++c) s = s * 3 + a[r][c]; return s;"),
    "pointer to row": ("", "int a[3][4] = {{1, 2, 3, 4}, {5, 6, 7, 8}}; int* p = a[1]; int (*q)[4] = a; return p[2] * 100 + q[1][3] * 10 + (*q)[2];"),
    "row to a function": ("__device__ int sum(int (*t)[4], int n) { int s = 0; for (int r = 0; r < n; ++r) for (int c = 0; c < 4; ++c) s += t[r][c] * (r + 1); return s; }",
                          "int a[3][4] = {{1, 2, 3, 4}, {5, 6, 7, 8}, {x & 7}}; return sum(a, 3);"),
    "array reference parameter": ("template <int N> __device__ int sum(const int (&t)[N]) { int s = 0; for (int k = 0; k < N; ++k) s += t[k]; return s * N; }",
                                  "int a[3] = {1, 2, x & 7}; return sum(a);"),
    "const table": ("__device__ const int T[4] = {1, 10, 100, -1000}; constexpr int W[2][2] = {{1, 2}, {3, 4}};", "return T[x & 3] + W[x & 1][1];"),
    "static const local": ("", "static const int t[3] = {5, 6, 7}; const float u[2] = {0.5f, 2.5f}; return t[i % 3] + (int)(u[i & 1] * 2);"),
    "bytes of a word": ("", "unsigned u = x; unsigned char* p = (unsigned char*)&u; return p[0] * 1000 + p[3];"),
    "words of bytes": ("", "unsigned char b[8] = {1, 2, 3, 4, 5, 6, 7, 8}; return *(unsigned*)(b + 4);"),
    "pun through union": ("union U { float f; unsigned u; };", "U a; a.f = v; return a.u >> 3;"),
    # functions
    "default argument": ("__device__ int g(int a, int b = 7, float c = 0.5) { return a * b + (int)(c * 8); }", "return g(x & 15) + g(x & 15, 2) * 3 + g(1, 2, 3.7f);"),
    "overloads": ("__device__ int g(int) { return 1; } __device__ int g(unsigned) { return 2; } __device__ int g(float) { return 3; }"
                  " __device__ int g(double) { return 4; } __device__ int g(long long) { return 5; } __device__ int g(char) { return 6; }",
                  "short s = 1; return g(x) + 10 * g(5u) + 100 * g(v) + 1000 * g(0.5) + 10000 * g(1LL) + 100000 * g('a') + 1000000 * g(s) + 10000000LL * g(true);"),
    "namespaces": ("namespace a { __device__ int g(int q) { return q + 1; } namespace b { __device__ int g(int q) { return q * 2; } } }"
                   " __device__ int g(int q) { return -q; }", "return a::g(x & 255) * 10000 + a::b::g(x & 255) * 100 + g(x & 255);"),
    "using": ("namespace a { constexpr int K = 4; __device__ int h(int q) { return q + K; } } using namespace a;", "using a::h; return h(x & 63) * K;"),
    "by value does not change": ("__device__ int g(int a) { a += 5; return a; }", "int b = x & 255; int r = g(b); return r * 1000 + b;"),
    "struct by value does not change": ("struct S { int a, b; }; __device__ int g(S s) { s.a += 5; return s.a + s.b; }",
                                        "S s{x & 255, 2}; int r = g(s); return r * 1000 + s.a;"),
    "reference changes": ("__device__ void g(int& a, int& b) { a += b; b = a * 2; }", "int a = x & 255, b = 3; g(a, b); return a * 1000 + b;"),
    "swap": ("template <class T> __device__ void swap(T& a, T& b) { T t = a; a = b; b = t; }", "int a = x & 255, b = 3; swap(a, b); return a * 1000 + b;"),
    "const reference to what changes": ("__device__ int g(int& a, const int& b) { a += b; a += b; return a; }", "int a = x & 255; return g(a, a);"),
    "const reference in a struct": ("struct S { int a; }; __device__ int g(S& s, const S& t) { s.a += 1; return t.a; }", "S s{x & 255}; return g(s, s);"),
    "const reference to an element": ("__device__ void g(int* a, const int& b) { for (int k = 0; k < 3; ++k) a[k] -= b; }",
                                      "int a[3] = {5, 6, 7}; g(a, a[0]); return a[0] * 100 + a[1] * 10 + a[2];"),
    "reference to an element": ("", "int a[3] = {5, 6, 7}; int& r = a[i % 3]; r += x & 15; const int& c = a[0]; a[0] += 1; return a[0] * 100 + a[1] * 10 + a[2] + c;"),
    "reference returned": ("__device__ int& at(int* a, int k) { return a[k]; }", "int a[3] = {5, 6, 7}; at(a, 1) = x & 15; at(a, 2)++; return a[1] * 10 + a[2];"),
    "const reference returned": ("__device__ const int& bigger(const int& a, const int& b) { return a < b ? b : a; }", "return bigger(x, 5);"),
    "return converts": ("__device__ char g(int a) { return a; } __device__ bool h(int a) { return a; } __device__ unsigned u(int a) { return a; }",
                        "return g(x) + h(x) * 1000 + (long long)u(x);"),
    "argument converts": ("__device__ long long g(unsigned char a, float b, bool c) { return a * 1000 + (long long)(b * 10) + c; }",
                          "return g(x, 2.55, 5);"),
    "early returns": ("__device__ int g(int a) { if (a < 0) return -1; for (int k = 0; k < 10; ++k) { if (k * k > a) return k; } return 99; }",
                      "return g(x);"),
    "two effects in one expression": ("__device__ int g(int& a) { a = a * 2 + 1; return a; }", "int a = x & 15; int r = g(a); r = r * 100 + g(a); return r;"),
    "effects in operands, left first": ("__device__ int g(int& a) { a = a * 2 + 1; return a; }", "int a = x & 15; int b = g(a) + 0; b += a; return b;"),
    "function templates of functions": ("__device__ int twice(int a) { return 2 * a; } __device__ int square(int a) { return a * a; }"
                                        " template <int (*F)(int)> __device__ int apply(int a) { return F(a) + 1; }",
                                        "return apply<twice>(x & 63) * 10000 + apply<square>(x & 63);"),
    "function passed": ("__device__ int twice(int a) { return 2 * a; } template <class F> __device__ int apply(F f, int a) { return f(a) + 1; }",
                        "return apply(twice, x & 63);"),
    "variadic template": ("__device__ int sum() { return 0; } template <class T, class... R> __device__ int sum(T a, R... r) { return a + 2 * sum(r...); }",
                          "return sum(x & 7, 2, 'a');"),
    "fold expression": ("template <class... R> __device__ int sum(R... r) { return (r + ...); }", "return sum(x & 7, 2, 3);"),
    "if constexpr": ("template <int N> __device__ int g(int a) { if constexpr (N > 2) return a * N; else return a - N; }", "return g<1>(x & 255) * 1000 + g<3>(x & 255);"),
    "recursive template": ("template <int N> __device__ int fact() { return N * fact<N - 1>(); } template <> __device__ int fact<0>() { return 1; }",
                           "return fact<5>() + x % 10;"),
    "constexpr function": ("__host__ __device__ constexpr int cube(int a) { return a * a * a; } constexpr int K = cube(3);", "int a[cube(2)] = {}; a[7] = K; return a[7] + cube(x & 7);"),
    "auto and decltype": ("", "auto a = x * 2LL; decltype(a) b = a + 1; auto c = 'a'; c += 60; const auto& d = a; return a + b + c + d;"),
    "structured binding": ("struct P { int a; float b; };", "P p{x & 7, 2.5f}; auto [q, r] = p; return q * 100 + (int)(r * 2);"),
    "range for": ("", "int a[4] = {1, 2, 3, x & 7}; int s = 0; for (int e : a) s = s * 3 + e; for (auto& e : a) e *= 2; return s * 100 + a[3];"),
    "typedefs": ("typedef float real; typedef real* ptr; using vec = real; typedef struct { int a; real b; } S; typedef int row[3]; enum tag { T1 = 4 };"
                 " __device__ real g(const real& a, const real* p, ptr q, const S& s, const row& r) { *q += a; return a + p[1] + s.a * s.b + r[2]; }",
                 "real a[2] = {1, 2}; real b = 0.5f; S s{3, 0.25f}; row r = {1, 2, x & 7}; tag t = T1; return (long long)(g(b, a, &b, s, r) * 4 + b * 100) + t;"),
    "same names in several scopes": ("struct P { int a; }; namespace n { struct P { float b; int c; }; __device__ int g(P* p) { return p->c; } __device__ P make(int q) { P p{1.5f, q}; return p; } }"
                                     " __device__ int h(P* p) { return p->a; } __device__ int l() { struct P { long long z; int y; }; P p{5, 6}; P* q = &p; return q->y; }",
                                     "P p{x & 7}; n::P q = n::make(3); return h(&p) * 1000 + n::g(&q) * 100 + l() * 10 + sizeof(n::P) + sizeof(P);"),
    "declared before defined": ("__device__ int later(int a, int b = 4); __device__ int first(int a) { return later(a) + 1; } __device__ int later(int a, int b) { return a * b; }",
                                "return first(x & 63) + later(2, 3);"),
    "effect in a subscript, once": ("__device__ int bump(int* n) { return (*n)++; }",
                                    "int n = 0; unsigned char a[4] = {}; a[bump(&n)] += 200; a[bump(&n)] += 0.5f; int r = (a[bump(&n)] = 7); a[bump(&n)]++; return n * 1000 + r * 100 + a[0] + a[3];"),
    "effects in order of operands": ("__device__ int bump(int* n) { return ++*n; }",
                                     "int n = 0, r = 0; r = x > 3 && bump(&n) > 0 || bump(&n) > 5; int s = bump(&n) > 1 ? n++ : --n; return n * 100 + r * 10 + s;"),
    "alias template": ("template <class T> struct id { using type = T; }; template <class T> using id_t = typename id<T>::type;", "id_t<unsigned char> c = x; return c;"),
    # enumerations
    "enumerators": ("enum E { A, B = 5, C, D = C * 2 - 1 };", "E e = x > 5 ? C : D; return e * 10 + A + B + (e == C);"),
    "enum class": ("enum class E : unsigned char { A = 250, B, C }; ", "E e = (E)(x & 255); return (int)e + (int)E::C + (e == E::B) * 1000 + (e < E::C) * 5000;"),
    "wide enumerators": ("enum W : long long { BIG = 1LL << 40, BIGGER }; enum U : unsigned { ALL = 0xffffffffu };", "return BIGGER + (ALL >> 4) + x;"),
    "unsigned enum compares": ("enum U : unsigned { P = 3 };", "U u = P; return x < u;"),
    "char enum": ("enum S : char { N = -1 };", "S s = N; return s + x + sizeof(S) + sizeof(N);"),
    # structs
    "nested aggregates": ("struct P { int a; short b[2]; }; struct Q { P p; P q[2]; };",
                          "Q q = {{1, {2, 3}}, {{4, {5}}}}; q.q[1] = q.p; q.q[0].b[1] += x & 7; return q.p.a + q.p.b[1] * 10 + q.q[0].b[0] * 100 + q.q[0].b[1] * 1000 + q.q[1].b[0] * 10000;"),
    "copy is a copy": ("struct P { int a, b; };", "P p{1, 2}; P q = p; q.a += x & 7; p = q; q.b = 9; return p.a * 1000 + p.b * 100 + q.a * 10 + q.b;"),
    "array in a struct copies": ("struct P { int a[3]; };", "P p{{1, 2, 3}}; P q = p; q.a[1] = x & 7; return p.a[1] * 100 + q.a[1] * 10 + q.a[2];"),
    "constructor order": ("struct P { int a; int b; __device__ P(int q) : a(q + 1), b(a * 2) {} };", "P p(x & 255); return p.a * 1000 + p.b;"),
    "constructor body": ("struct P { int a = 3; int b; __device__ P(int q) : b(q) { a += b; b = 0; } __device__ P() : P(5) {} };", "P p(x & 255); P q; return p.a * 1000 + p.b + q.a;"),
    "copy constructor": ("struct P { int a; __device__ P(int q) : a(q) {} __device__ P(const P& o) : a(o.a + 100) {} };", "P p(x & 63); P q = p; P r(q); return r.a * 1000 + p.a;"),
    "user's assignment": ("struct P { int a; __device__ P& operator=(const P& o) { a = o.a + 7; return *this; } };", "P p{1}, q{x & 63}; p = q; return p.a;"),
    "operators": ("struct C { float re, im; __device__ C operator*(const C& o) const { return {re * o.re - im * o.im, re * o.im + im * o.re}; }"
                  " __device__ C& operator+=(C o) { re += o.re; im += o.im; return *this; } }; __device__ C operator-(C a) { return {-a.re, -a.im}; }",
                  "C c{(float)(x & 15), 2}; C d = c * c; d += -c; d += d; return (long long)(d.re * 1000 + d.im);"),
    "conversion operator": ("struct H { int a; __device__ operator float() const { return a * 0.5f; } __device__ explicit operator bool() const { return a > 3; } };",
                            "H h{x & 15}; float f = h + 1.0f; return (long long)(f * 4) * 10 + (h ? 1 : 0);"),
    "subscript operator": ("struct A { int d[4]; __device__ int& operator[](int k) { return d[k]; } __device__ int operator[](int k) const { return d[k] * 2; } };",
                           "A a{{1, 2, 3, 4}}; a[1] += x & 15; const A& c = a; return a[1] * 100 + c[1];"),
    "call operator with state": ("struct F { int k; __device__ int operator()(int a) { k += a; return k; } };", "F f{x & 7}; int r = f(2); r = r * 100 + f(3); return r * 100 + f.k;"),
    "static member": ("struct S { static constexpr int K = 6; static __device__ int g(int a) { return a * K; } };", "return S::g(x & 63) + S::K;"),
    "nested struct names": ("struct O { struct I { int v; }; I i; enum { Z = 4 }; };", "O o{{x & 7}}; O::I q{3}; return o.i.v * 10 + q.v + O::Z;"),
    "anonymous union": ("struct S { union { float f; int k; }; int t; };", "S s; s.f = v; s.t = 3; return (s.k >> 4) + s.t;"),
    "member pointer arithmetic": ("struct S { int a; int b; };", "S s[3] = {{1, 2}, {3, 4}, {5, 6}}; S* p = s; p++; p->a += x & 7; (p + 1)->b = 9; return p->a * 100 + p[1].b * 10 + p[-1].b;"),
    "struct template": ("template <class T, int N> struct V { T d[N]; __device__ T dot(const V& o) const { T s = 0; for (int k = 0; k < N; ++k) s += d[k] * o.d[k]; return s; } };",
                        "V<int, 3> a{{1, 2, x & 15}}; V<float, 2> b{{0.5f, 2}}; return a.dot(a) * 10 + (long long)b.dot(b);"),
    "struct returned": ("struct P { int a, b; }; __device__ P make(int q) { P p; p.a = q; p.b = q * 2; return p; }", "return make(x & 63).b * 100 + make(3).a;"),
    "pointer to struct changes": ("struct P { int a, b; }; __device__ void g(P* p) { p->a += 3; (*p).b = p->a * 2; }", "P p{x & 63, 0}; g(&p); return p.a * 1000 + p.b;"),
    "ternary of structs": ("struct P { int a, b; };", "P p{1, 2}, q{3, x & 63}; P r = x > 5 ? p : q; return r.a * 100 + r.b;"),
    # lambdas
    "lambda by value": ("", "int k = x & 15; auto f = [k](int a) { return a * k; }; k = 100; return f(3) + k;"),
    "lambda by reference": ("", "int k = x & 15; auto f = [&](int a) { k += a; return k; }; int r = f(3); r = r * 100 + f(4); return r * 100 + k;"),
    "lambda capturing all": ("", "int k = x & 15; float w = 0.5f; auto f = [=](auto a) { return a * k + w; }; return (long long)(f(3) * 10 + f(1.5f) * 4);"),
    "generic lambda": ("template <class F> __device__ int fold(F f, int n) { int s = 0; for (int k = 0; k < n; ++k) s = f(s, k); return s; }",
                       "int w = x & 3; return fold([w](int a, int b) { return a + b * w; }, 5) * 100 + fold([](int a, int b) { return a ^ b; }, 7);"),
    "immediately called": ("", "const int k = [&] { int s = 0; for (int a = 0; a < (x & 7); ++a) s += a; return s; }(); return k;"),
    # macros
    "macro with side effects": ("#define SQ(a) ((a) * (a))\n", "int k = x & 7; return SQ(k + 1) + SQ(3);"),
    "shadowing": ("", "int a = 1; { int a = 2; a += x & 7; { int a = 50; (void)a; } if (a > 5) { int a = 9; return a; } } return a;"),
    "volatile": ("", "volatile int a = x & 255; a += 1; return a;"),
    "goto-free exit": ("", "int r = 0; for (int a = 0; a < 5; ++a) { bool stop = false; for (int b = 0; b < 5; ++b) { r += a * b; if (r > (x & 31)) { stop = true; break; } } if (stop) break; } return r;"),
    "long expression": ("", "unsigned h = x; h ^= h >> 16; h *= 0x85ebca6bu; h ^= h >> 13; h *= 0xc2b2ae35u; h ^= h >> 16; return h;"),
    "rotate": ("", "unsigned u = x; int k = i & 31; return (u << k) | (u >> (-k & 31));"),
    "average without overflow": ("", "unsigned a = x, b = 0xfffffff0u; return (a & b) + ((a ^ b) >> 1);"),
    "sign function": ("", "return (x > 0) - (x < 0);"),
    "min and max macros": ("#define MIN(a, b) ((a) < (b) ? (a) : (b))\n", "unsigned u = 5; return MIN(x, u);"),
}  # fmt: skip


# what is refused, with the number, whatever it would compute
REFUSED = {
    "ternary lvalue": ("", "int a = 1, b = 2; ((i & 1) ? a : b) = x; return a * 10LL + b;"),
    "destructor": ("struct G { int& r; __device__ G(int& q) : r(q) {} __device__ ~G() { r += 100; } };", "int a = x & 63; { G g(a); a *= 2; } return a;"),
    "inheritance": ("struct A { int a; __device__ int g() const { return a * 2; } }; struct B : A { int b; };", "B q; q.a = x & 63; q.b = 3; return q.g() * 10 + q.b;"),
    "bit fields": ("struct S { unsigned a : 3; int b : 4; unsigned c : 25; };", "S s; s.a = x; s.b = x >> 3; s.c = x; return s.a + s.b * 10 + s.c;"),
    "mutable lambda": ("", "int k = x & 15; auto f = [k](int a) mutable { k += a; return k; }; int r = f(3); r = r * 100 + f(4); return r * 100 + k;"),
    "init capture": ("", "auto f = [k = x & 15, m = 2 * i](int a) { return a * k + m; }; return f(3);"),
}  # fmt: skip


def host_source(cases: dict[str, tuple[str, str]]) -> str:
    parts = ["#define __device__\n#define __host__\n"]
    for k, (before, body) in enumerate(cases.values()):
        parts.append(f"namespace c{k} {{\n{before}\nlong long f(int i, int x, float v) {{ {body} }}\n}}\n")
        parts.append(
            f'extern "C" void case_{k}(const int* x, const float* v, long long* y, int n)'
            f" {{ for (int i = 0; i < n; ++i) y[i] = c{k}::f(i, x[i], v[i]); }}\n"
        )
    return "".join(parts)


def cuda_source(cases: dict[str, tuple[str, str]]) -> str:
    parts: list[str] = []
    for k, (before, body) in enumerate(cases.values()):
        parts.append(f"namespace c{k} {{\n{before}\n__device__ long long f(int i, int x, float v) {{ {body} }}\n}}\n")
    stores = "\n".join(f"  y[{k} * n + i] = c{k}::f(i, x[i], v[i]);" for k in range(len(cases)))
    parts.append(
        "__global__ void k(const int* x, const float* v, long long* y, int n) {\n"
        f"  int i = threadIdx.x;\n{stores}\n}}\n"
    )
    return "".join(parts)


def on_host(cases: dict[str, tuple[str, str]], folder) -> np.ndarray:
    """What the compiler's code gives: an array (case, thread)."""
    (folder / "cases.cpp").write_text(host_source(cases))
    compiler = [c.replace("clang", "c++") if c == "clang" else c for c in clang_command()]
    command = [
        *compiler,
        "-std=c++20",
        "-O0",
        "-w",
        "-fwrapv",
        "-ffp-contract=off",
        "-fno-sanitize=all",
        "-shared",
        "-fPIC",
        "-nostdlib",
    ]
    subprocess.run(
        [*command, "-o", str(folder / "cases.so"), str(folder / "cases.cpp")], check=True, capture_output=True
    )
    library = ctypes.CDLL(str(folder / "cases.so"))
    out = np.zeros((len(cases), X.size), np.int64)
    for k in range(len(cases)):
        pointers = [a.ctypes.data_as(ctypes.c_void_p) for a in (X, V, out[k])]
        getattr(library, f"case_{k}")(*pointers, ctypes.c_int(X.size))
    return out


def emulated(cases: dict[str, tuple[str, str]], folder) -> np.ndarray:
    """What the reader's program gives in emulation, findings of any kind ruled out."""
    path = folder / "cases.cu"
    path.write_text(cuda_source(cases))
    program, _ = read_source(path, "k")
    validate(program)
    args = {"x": X, "v": V, "y": np.zeros(len(cases) * X.size, np.int64), "n": X.size}
    done = emulate(
        program, load_machine("h100"), Launch((1, 1, 1), (X.size, 1, 1)), args, roles={"x": "in", "v": "in", "y": "out"}
    )
    assert not done.findings, done.findings
    return done.buffers["y"].reshape(len(cases), X.size)


def test_what_is_not_understood_is_refused_by_number(tmp_path):
    with pytest.raises(Refusal) as caught:
        emulated(REFUSED, tmp_path)
    lines = cuda_source(REFUSED).split("\n")
    for k, name in enumerate(REFUSED):
        first = lines.index(f"namespace c{k} {{") + 1
        own = [d.number for d in caught.value.diagnostics if d.loc and first <= d.loc.line <= first + 4]
        assert own, name
        assert all(n.startswith("GP11") for n in own)


def test_programs_compute_what_the_compilers_code_does(tmp_path):
    want = on_host(CASES, tmp_path)
    got = emulated(CASES, tmp_path)
    wrong = {
        name: [(int(X[i]), float(V[i]), int(g[i]), int(w[i])) for i in np.nonzero(g != w)[0][:3]]
        for name, g, w in zip(CASES, got, want, strict=True)
        if not np.array_equal(g, w)
    }
    assert not wrong  # name: x, v, what the program gives, what the compiler's code gives
