"""double without double: as floats, and as pairs of floats whose every operation keeps its bound."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from gpuport.backends.base import Launch
from gpuport.backends.emulator import emulate
from gpuport.backends.held import join, split
from gpuport.backends.readers import read_source
from gpuport.hwmodels import load_machine
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.printer import show_program
from gpuport.ir.rewrites.double_single import ROUNDOFF, doubles_to_pairs
from gpuport.ir.rewrites.doubles import doubles_to_floats
from gpuport.ir.validate import validate

if TYPE_CHECKING:
    from pathlib import Path

M4, H100 = load_machine("m4"), load_machine("h100")
FLOATS = [
    "a + b",
    "a - b",
    "a * b",
    "a / b",
    "sqrt(a < 0.0 ? -a : a)",
    "fma(a, b, 1.0 / 3.0)",
    "1.0 / a",
    "a + b + a * 0.1",
]
EXACT = [
    "fabs(a)",
    "floor(a)",
    "ceil(b)",
    "trunc(a)",
    "fmin(a, b)",
    "fmax(a, b)",
    "-a",
    "isnan(a) ? 1.0 : isinf(b) ? 2.0 : 3.0",
]
INTS = ["(a < b) + 2 * (a <= b) + 4 * (a == b) + 8 * (a != b) + 16 * (a > b) + 32 * (a >= b)", "(long long)a", "(int)b",
        "(unsigned)a", "(long long)(double)(i * 0x123456789abll - 77)", "(long long)(double)(i - 3)", "(bool)a"]  # fmt: skip
SPECIAL = [0, 1, -1, np.inf, np.nan, 2, np.inf, -np.inf, 1, 0, 5, 5, -0.0, 3, 1e30, 1e-24, 2.0**31, -(2.0**31) - 0.5, 1.5, 7,
           2.0**40 + 0.5, 2.0**24 + 1, -7.5, 2.25]  # fmt: skip


def program(folder: Path, body: str, params: str = "const double* x, double* y, long long* z") -> Any:
    (folder / "k.cu").write_text(f"__global__ void k({params}) {{\n{body}\n}}\n")
    return read_source(folder / "k.cu", "k")[0]


def inputs() -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(7)
    drawn = rng.normal(size=232) * 10.0 ** rng.integers(-8, 8, 232)
    drawn[:40] = np.floor(drawn[:40] * 1e4)
    held = np.concatenate([drawn, SPECIAL])
    return join(split(held))  # what a pair holds exactly


def run(p: Any, machine: Any, x: np.ndarray[Any, Any], per: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    validate(p)
    count = 128
    floats = (len(FLOATS) + len(EXACT)) * count
    args = {"x": x, "y": np.zeros(floats * per, x.dtype), "z": np.zeros(len(INTS) * count, np.int64)}
    done = emulate(p, machine, Launch((1, 1, 1), (count, 1, 1)), args, roles={"x": "in", "y": "out", "z": "out"})
    assert not done.findings
    return done.buffers["y"], done.buffers["z"]


def whole(folder: Path) -> Any:
    lines = ["  const int i = threadIdx.x;", "  const double a = x[2 * i], b = x[2 * i + 1];"]
    lines += [f"  y[{k * 128} + i] = {e};" for k, e in enumerate([*FLOATS, *EXACT])]
    lines += [f"  z[{k * 128} + i] = {e};" for k, e in enumerate(INTS)]
    return program(folder, "\n".join(lines))


def test_pairs_keep_the_bound_of_every_operation(tmp_path: Path) -> None:
    p, x = whole(tmp_path), inputs()
    assert x.size == 256
    expected, integers = run(p, H100, x, 1)
    got, z = run(doubles_to_pairs(p), M4, split(x), 2)
    np.testing.assert_array_equal(z, integers)
    y = join(got).reshape(-1, 128)
    for name, mine, right in zip([*FLOATS, *EXACT], y, expected.reshape(-1, 128), strict=True):
        # where a float ends, so does a pair
        right = np.where(np.abs(right) > np.finfo(np.float32).max, np.copysign(np.inf, right), right)
        if name in EXACT:
            np.testing.assert_array_equal(mine, right, err_msg=name)
            continue
        tiny = 2.0**-100  # below, the low float is lost
        with np.errstate(invalid="ignore", divide="ignore"):
            fine = (np.abs(mine - right) <= 2 * ROUNDOFF * np.abs(right) + tiny) | (mine == right)
        fine |= np.isnan(mine) & np.isnan(right)
        # a product and a sum, each rounded, where they cancel
        with np.errstate(invalid="ignore"):
            fine |= ("fma" in name) & (np.abs(mine - right) <= 2 * ROUNDOFF * np.abs(x[::2] * x[1::2]))
        assert fine.all(), (name, x[::2][~fine], x[1::2][~fine], mine[~fine], right[~fine])
    assert np.abs(y[2] - expected.reshape(-1, 128)[2])[:20].max() > 0  # and is no double


def test_floats_are_floats(tmp_path: Path) -> None:
    p = doubles_to_floats(program(tmp_path, "  y[threadIdx.x] = x[threadIdx.x] * 0.1 + (double)z[0];"))
    validate(p)
    assert "f64" not in show_program(p)
    x = np.float32([1.5, 3.3, 1e30])
    args = {"x": x, "y": np.zeros(3, np.float32), "z": np.ones(1, np.int64)}
    done = emulate(p, H100, Launch((1, 1, 1), (3, 1, 1)), args, roles={"x": "in", "y": "out", "z": "in"})
    np.testing.assert_array_equal(done.buffers["y"], x * np.float32(0.1) + np.float32(1))


def test_what_has_no_such_form_is_refused_at_its_line(tmp_path: Path) -> None:
    body = """  const int i = threadIdx.x;
  y[i] = exp(x[i]);
  atomicAdd(&y[0], x[i]);
  z[i] = __double_as_longlong(x[i]);
  double2 v = make_double2(x[i], 1.0);
  y[i] += v.x;
  y[i] += sin(x[i]);"""
    p = program(tmp_path, body)
    with pytest.raises(Refusal) as caught:
        doubles_to_pairs(p)
    told = [(d.number, d.loc.line if d.loc else 0) for d in caught.value.diagnostics]
    assert set(told) == {("GP2005", line) for line in (3, 4, 5, 6, 7, 8)}, caught.value
    assert re.search("exp of a double", str(caught.value))
    with pytest.raises(Refusal, match=r"k\.cu:5: error GP2005: the bits of a double as i64"):
        doubles_to_floats(p)


def test_a_copy_of_a_pair_is_what_it_was() -> None:
    x = np.float64([0.1, -0.0, 1e300, np.nan, -np.inf, 1 / 3])
    again = join(split(x))
    assert np.signbit(again[1])
    assert again[2] == np.inf
    assert np.isnan(again[3])
    assert again[4] == -np.inf
    np.testing.assert_allclose(again[[0, 5]], x[[0, 5]], rtol=2.0**-48)
