"""OpenCL C's built-in functions and vectors: each gives in emulation what its definition says, all read at once."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from gpuport.backends.base import Launch
from gpuport.backends.emulator import emulate
from gpuport.backends.opencl.reader import read_opencl_text
from gpuport.hwmodels import load_machine
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.rewrites.spaces import resolve_spaces
from gpuport.ir.validate import validate

A = np.array([0, 1, -1, 5, -7, 127, -128, 255, 256, 1000, -1000, 0x7FFFFFFF, -0x80000000, 0x12345678, 77, -3], np.int64)
B = np.array([3, -1, 31, 2, 7, 1, -128, 16, 0, 5, 9, 1, -1, 8, -0x80000000, 0x7FFFFFFF], np.int64)
F = np.array(
    [0.0, -0.5, 1.5, 2.5, -2.5, 300.7, -9.9, 1e10, -1e10, 0.25, 254.5, 255.5, -128.5, 3.0, np.nan, 0.75], np.float32
)
U = [int(v) & 0xFFFFFFFF for v in A]
W = [int(v) & 0xFFFFFFFF for v in B]


def wrap(v: int, bits: int = 32, signed: bool = True) -> int:
    v &= (1 << bits) - 1
    return v - (1 << bits) if signed and v >> (bits - 1) else v


def saturate(v: float, low: int, high: int) -> int:
    return 0 if v != v else int(min(max(v, low), high))


def each(f):
    return [f(int(a), int(b), u, w, float(v)) for a, b, u, w, v in zip(A, B, U, W, F, strict=True)]


# name: (a statement that sets `long r` from int a, int b, uint u, uint w, float f; what it is)
INTEGERS = {
    "clamp": ("r = clamp(a, -5, 100);", lambda a, b, u, w, f: min(max(a, -5), 100)),
    "clamp unsigned": ("r = clamp(u, 5u, 100u);", lambda a, b, u, w, f: min(max(u, 5), 100)),
    "rotate": ("r = rotate(u, 5u); r ^= rotate(a, b);", lambda a, b, u, w, f: wrap(
        (((u << 5 | u >> 27) & 0xFFFFFFFF) ^ wrap((u << (b & 31) | u >> (-b & 31)) if b & 31 else u)), 64)),
    "hadd": ("r = hadd(a, b); r += (long)hadd(u, w) << 3;", lambda a, b, u, w, f: ((a + b) >> 1) + (((u + w) >> 1) << 3)),
    "rhadd": ("r = rhadd(a, b);", lambda a, b, u, w, f: (a + b + 1) >> 1),
    "abs_diff": ("r = abs_diff(a, b); r += abs_diff(u, w);", lambda a, b, u, w, f: abs(a - b) + abs(u - w)),
    "add_sat": ("r = add_sat(a, b); r += add_sat(u, w);", lambda a, b, u, w, f: saturate(a + b, -(2**31), 2**31 - 1) + min(u + w, 2**32 - 1)),
    "sub_sat": ("r = sub_sat(a, b); r += sub_sat((uchar)u, (uchar)w);", lambda a, b, u, w, f: saturate(a - b, -(2**31), 2**31 - 1)
                + max((u & 255) - (w & 255), 0)),
    "mul24 and mad24": ("r = mul24(a & 0xfff, 77) + mad24(u & 0xffu, w & 0xffu, 3u);", lambda a, b, u, w, f: (a & 0xFFF) * 77 + (u & 255) * (w & 255) + 3),
    "mad_hi": ("r = mad_hi(a, b, 7);", lambda a, b, u, w, f: wrap((a * b >> 32) + 7)),
    "mul_hi": ("r = mul_hi(u, w);", lambda a, b, u, w, f: u * w >> 32),
    "upsample": ("r = upsample(a, w); r ^= upsample((uchar)u, (uchar)w);", lambda a, b, u, w, f: wrap(a << 32 | w, 64) ^ ((u & 255) << 8 | w & 255)),
    "ctz and clz": ("r = ctz(u) * 100 + clz(u); r = r * 100 + ctz((uchar)u);", lambda a, b, u, w, f: (
        (((u & -u).bit_length() - 1 if u else 32) * 100 + 32 - u.bit_length()) * 100 + ((u & 255 & -(u & 255)).bit_length() - 1 if u & 255 else 8))),
    "bitselect": ("r = bitselect(u, w, 0x0ff0ff00u);", lambda a, b, u, w, f: (u & ~0x0FF0FF00 | w & 0x0FF0FF00) & 0xFFFFFFFF),
    "select": ("r = select(a, b, a > 3);", lambda a, b, u, w, f: b if a > 3 else a),
    "convert_sat of integers": ("r = convert_uchar_sat(a) * 1000 + convert_char_sat(b); r = r * 10 + convert_ushort_sat(u);",
                                lambda a, b, u, w, f: (saturate(a, 0, 255) * 1000 + saturate(b, -128, 127)) * 10 + min(u, 65535)),
    "convert_sat of floats": ("r = convert_uchar_sat(f) * 1000 + convert_char_sat(f); r += convert_int_sat(f);",
                              lambda a, b, u, w, f: saturate(math.trunc(f) if f == f else f, 0, 255) * 1000
                              + saturate(math.trunc(f) if f == f else f, -128, 127) + saturate(math.trunc(f) if f == f else f, -(2**31), 2**31 - 1)),
    "convert_sat, rounded": ("r = convert_uchar_sat_rte(f);", lambda a, b, u, w, f: saturate(round(f) if f == f else f, 0, 255)),
    "convert rounded": ("float g = clamp(f, -100.0f, 100.0f); r = isnan(f) ? 0 : convert_int_rte(g) * 10000 + convert_int_rtp(g) * 100 + convert_int_rtn(g);",
                        lambda a, b, u, w, f: 0 if f != f else round(max(min(f, 100), -100)) * 10000
                        + math.ceil(max(min(f, 100), -100)) * 100 + math.floor(max(min(f, 100), -100))),
    "comparison is int": ("r = -(a < b) + ~(a > b);", lambda a, b, u, w, f: -(a < b) + ~int(a > b)),
    "relations": ("r = isless(f, 1.0f) + isgreaterequal(f, 1.0f) * 2 + isordered(f, f) * 4 + isnotequal(f, f) * 8;",
                  lambda a, b, u, w, f: (f < 1) + (f >= 1) * 2 + (f == f) * 4 + (f != f) * 8),
    "sizes of vectors": ("r = sizeof(float3) * 1000 + sizeof(float4) * 100 + sizeof(uchar3[2]) + sizeof(double2);",
                         lambda a, b, u, w, f: 16 * 1000 + 16 * 100 + 8 + 16),
    "swizzles": ("int4 v = (int4)(a, b, 3, 4); r = v.wzyx.x * 1000 + v.hi.y * 100 + v.even.y * 10 + v.s03.y;", lambda a, b, u, w, f: 4000 + 400 + 30 + 4),
    "swizzles written": ("int4 v = (int4)(0); v.xz = (int2)(a & 7, b & 7); v.yw += (int2)(1, 2); v.lo = v.lo.yx; r = v.x * 1000 + v.y * 100 + v.z * 10 + v.w;",
                         lambda a, b, u, w, f: 1000 + (a & 7) * 100 + (b & 7) * 10 + 2),
    "a swizzle of an array element": ("int2 t[2] = {(int2)(1, 2), (int2)(3, 4)}; int k = 0; t[k++].xy = t[1].yx; r = t[0].x * 100 + t[0].y * 10 + k;",
                                      lambda a, b, u, w, f: 431),
    "vectors from vectors": ("int2 p = (int2)(a & 7, 2); int4 v = (int4)(p, p.yx); int4 q = (int4)(1, p, 9); r = v.w * 1000 + v.y * 100 + q.y * 10 + q.w;",
                             lambda a, b, u, w, f: (a & 7) * 1000 + 200 + (a & 7) * 10 + 9),
    "vector comparison": ("int4 m = (int4)(a, b, 3, 4) < (int4)(5); r = m.x * 10 + m.y; r += any(m) * 100 + all(m) * 1000;",
                          lambda a, b, u, w, f: -(a < 5) * 10 - (b < 5) + 100 + (a < 5 and b < 5) * 1000),
    "vector select": ("int4 m = (int4)(a, b, 3, 4) > (int4)(5); int4 s = m ? (int4)(1) : (int4)(2); int4 t = select((int4)(7), (int4)(8), m); r = s.x * 100 + t.y;",
                      lambda a, b, u, w, f: (1 if a > 5 else 2) * 100 + (8 if b > 5 else 7)),
    "vector functions": ("uchar4 c = convert_uchar4_sat((float4)(f, 300.0f, -5.0f, 7.9f)); r = c.x + c.y * 1000 + c.z * 7 + c.w * 1000000;",
                         lambda a, b, u, w, f: saturate(math.trunc(f) if f == f else f, 0, 255) + 255000 + 7000000),
    "min and max of vectors": ("int4 v = max(min((int4)(a, b, 3, 4), 100), (int4)(-5)); r = (long)v.x * 1000 + v.y;",
                               lambda a, b, u, w, f: max(min(a, 100), -5) * 1000 + max(min(b, 100), -5)),
    "as vectors": ("uchar4 c = as_uchar4(u); r = c.x + c.w * 1000; r += as_uint(c.wzyx) == u ? 0 : 7;",
                   lambda a, b, u, w, f: (u & 255) + (u >> 24) * 1000 + (0 if int.from_bytes(u.to_bytes(4, "little"), "big") == u else 7)),
    "linear ids": ("r = get_local_linear_id() - get_local_id(0) + get_global_offset(0);", lambda a, b, u, w, f: 0),
    "sub-group": ("r = sub_group_reduce_add(1) - get_sub_group_size() + sub_group_scan_inclusive_add(1) - get_sub_group_local_id();",
                  lambda a, b, u, w, f: 1),
    "asynchronous copy": ("__local int copied[16]; copied[i] = 0; barrier(CLK_LOCAL_MEM_FENCE); event_t e = async_work_group_copy(copied, x, 16, 0);"
                          " wait_group_events(1, &e); r = copied[15 - i]; barrier(CLK_LOCAL_MEM_FENCE);", None),
    "atomic types": ("__local atomic_int n; if (i == 0) atomic_init(&n, 5); barrier(CLK_LOCAL_MEM_FENCE);"
                     " atomic_fetch_add_explicit(&n, 2, memory_order_relaxed, memory_scope_work_group); barrier(CLK_LOCAL_MEM_FENCE); r = atomic_load(&n);",
                     lambda a, b, u, w, f: 5 + 2 * 16),
    "volatile atomics": ("__local volatile int m; if (i == 0) m = 0; barrier(CLK_LOCAL_MEM_FENCE); atomic_inc(&m); barrier(CLK_LOCAL_MEM_FENCE); r = m;",
                         lambda a, b, u, w, f: 16),
}  # fmt: skip

f32 = np.float32
FLOATS = {
    "halves": ("half2 h = convert_half2((float2)(f, 2.25f)); half a[4]; vstore2(h, 0, a); r = convert_float2(vload2(0, a)).x;"
               " r += (float)convert_half(0.1f);", lambda f: f.astype("f2").astype("f4") + f32(np.float16(0.1))),
    "the largest": ("r = fmin(f, MAXFLOAT) + (HUGE_VALF > MAXFLOAT);", lambda f: np.fmin(f, np.finfo("f4").max) + f32(1)),
    "mad": ("r = mad(f, 2.0f, 1.0f);", lambda f: f * f32(2) + f32(1)),
    "clamp": ("r = clamp(f, -1.0f, 2.0f);", lambda f: np.fmin(np.fmax(f, f32(-1)), f32(2))),
    "mix": ("r = mix(f, 3.0f, 0.25f);", lambda f: f + (f32(3) - f) * f32(0.25)),
    "step": ("r = step(1.0f, f);", lambda f: np.where(f < 1, f32(0), f32(1))),
    "smoothstep": ("r = smoothstep(0.0f, 2.0f, f);", lambda f: (t := np.fmin(np.fmax(f / f32(2), f32(0)), f32(1))) * t * (f32(3) - f32(2) * t)),
    "sign": ("r = sign(f);", lambda f: np.nan_to_num(np.sign(f), nan=0)),
    "radians": ("r = radians(f);", lambda f: f * f32(math.pi / 180)),
    "dot": ("r = dot((float2)(f, 2.0f), (float2)(3.0f, f));", lambda f: f * f32(3) + f32(2) * f),
    "length": ("r = length((float3)(f, 0.0f, 0.0f));", lambda f: np.sqrt(f * f + f32(0))),
    "cross": ("r = cross((float3)(f, 2.0f, 3.0f), (float3)(1.0f, f, 2.0f)).z;", lambda f: f * f - f32(2)),
    "vector clamp": ("float4 v = clamp((float4)(f), 0.0f, 1.0f); r = v.w;", lambda f: np.fmin(np.fmax(f, f32(0)), f32(1))),
    "vector math": ("float4 v = fmax((float4)(f, 1, 2, 3), 2.0f) * 2.0f; r = v.x + v.s3;", lambda f: np.fmax(f, f32(2)) * f32(2) + f32(6)),
    "bitselect": ("r = bitselect(f, -f, 2.0f);", lambda f: (f.view(np.uint32) & ~f32(2).view(np.uint32)
                                                           | (-f).view(np.uint32) & f32(2).view(np.uint32)).view(f32)),
    "as_float": ("r = as_float(as_uint(f) ^ 0x80000000u);", lambda f: -f),
    "vload8": ("float8 v = vload8(i / 8, y); r = v.s7 + v.lo.x;", None),
}  # fmt: skip


def source(cases: dict, t: str) -> str:
    local = r"__local [^;]*;"  # which OpenCL C wants in the kernel's outermost scope
    bodies = [body for body, _ in cases.values()]
    shared = "".join(s for body in bodies for s in re.findall(local, body))
    stores = "\n".join(f"  {{ {t} r; {re.sub(local, '', b)} out[{k} * 16 + i] = r; }}" for k, b in enumerate(bodies))
    return (
        f"__kernel void k(__global const int* x, __global const int* z, __global const float* y, __global {t}* out) {{\n"
        "  int i = get_local_id(0); int a = x[i], b = z[i]; uint u = a, w = b; float f = y[i];\n"
        + shared
        + stores
        + "\n}\n"
    )


def run(cases: dict, t: str, dtype) -> np.ndarray:
    program = resolve_spaces(read_opencl_text(source(cases, t), "k", "k.cl"))
    validate(program)
    args = {"x": A.astype(np.int32), "z": B.astype(np.int32), "y": F, "out": np.zeros(16 * len(cases), dtype)}
    roles = {"x": "in", "z": "in", "y": "in", "out": "out"}
    done = emulate(program, load_machine("mi300x"), Launch((1, 1, 1), (16, 1, 1)), args, roles=roles)
    assert not done.findings, done.findings
    return done.buffers["out"].reshape(len(cases), 16)


def test_integer_functions_and_vectors():
    cases = {k: v for k, v in INTEGERS.items() if k != "sub-group"}
    got = run(cases, "long", np.int64)
    for (name, (_, f)), row in zip(cases.items(), got, strict=True):
        want = A[::-1] if f is None else each(f)
        np.testing.assert_array_equal(row, want, err_msg=name)


def test_float_functions():
    got = run(FLOATS, "float", np.float32)
    for (name, (_, f)), row in zip(FLOATS.items(), got, strict=True):
        with np.errstate(invalid="ignore", over="ignore"):
            want = F[np.arange(16) // 8 * 8 + 7] + F[np.arange(16) // 8 * 8] if f is None else f(F)
        np.testing.assert_array_equal(row, want.astype(np.float32), err_msg=name)


def test_sub_group_functions_of_a_whole_wave():
    text = """__kernel void k(__global int* out) {
  int i = get_local_id(0);
  out[i] = sub_group_reduce_add(i) + sub_group_reduce_max(i) * 10000;
  out[64 + i] = sub_group_scan_inclusive_add(i);
  out[128 + i] = sub_group_scan_exclusive_add(i) + sub_group_broadcast(i, 3u) * 10000;
}"""
    program = read_opencl_text(text, "k", "k.cl")
    validate(program)
    args = {"out": np.zeros(192, np.int32)}
    done = emulate(program, load_machine("mi300x"), Launch((1, 1, 1), (64, 1, 1)), args, roles={"out": "out"})
    lane = np.arange(64)
    assert not done.findings
    want = np.concatenate([np.full(64, 2016 + 630000), lane.cumsum(), lane.cumsum() - lane + 30000])
    np.testing.assert_array_equal(done.buffers["out"], want)


# each line, and the number that it is refused by
REFUSED = [
    ('printf("%d", n);', "GP1104"),
    ("int d = get_work_dim();", "GP1104"),
    ("float g = lgamma(1.5f);", "GP1104"),
    ("again: if (n > 9) goto again;", "GP1101"),
    ("int q = undeclared;", "GP1001"),
    ("int z = 3 4;", "GP1001"),
    ("(n > 0 ? atomic_add(y, 1) : 0) + 1;", "GP1105"),
    ("static int s;", "GP1"),
    ("int3 v = (int3)(1) < (int3)(2) ? 1 : 2;", "GP1"),
    ("y[0] = n.x;", "GP1001"),
    ("image2d_t im;", "GP1"),
]


def test_each_refused_construct_has_its_number_and_line():
    body = "\n".join(line for line, _ in REFUSED)
    with pytest.raises(Refusal) as caught:
        read_opencl_text(f"__kernel void k(__global int* y, int n) {{\n{body}\n}}\n", "k", "k.cl")
    found: dict[int, str] = {}
    for d in caught.value.diagnostics:
        assert d.loc is not None
        found.setdefault(d.loc.line, d.number)
    missing = {
        text: found.get(k) for k, (text, number) in enumerate(REFUSED, 2) if not str(found.get(k)).startswith(number)
    }
    assert len(REFUSED) - len(missing) >= 8, (missing, caught.value)
    assert not missing, caught.value
