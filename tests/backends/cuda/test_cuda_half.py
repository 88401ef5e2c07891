"""half and bfloat16: read from CUDA, emulated, and through the texts of other languages, bit for bit against NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from gpuport.backends.base import Launch
from gpuport.backends.clike.plan import WritePlan
from gpuport.backends.cuda.reader import read_cuda
from gpuport.backends.emulator import emulate
from gpuport.backends.readers import read_text
from gpuport.hwmodels import load_machine
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.rewrites.narrow_floats import soften
from gpuport.ir.rewrites.spaces import resolve_spaces
from gpuport.ir.types import BF16, F16
from gpuport.ir.validate import validate

if TYPE_CHECKING:
    from pathlib import Path

    from gpuport.ir.nodes import Program

N = 256
RNG = np.random.default_rng(7)
X, Z = (RNG.standard_normal(N).astype("f2") * np.exp2(RNG.integers(-14, 10, N)).astype("f2") for _ in range(2))
X[:6] = [0.0, -0.0, np.inf, 6e-8, 65504.0, -6e-5]
F = X.astype("f4")
G = Z.astype("f4")


def half(v: Any) -> Any:
    """Round once, from float64, which holds sums and products of halves exactly."""
    with np.errstate(over="ignore"):
        return np.asarray(v).astype("f2")


with np.errstate(all="ignore"):
    FMA = half(X.astype("f8") * Z.astype("f8") + X.astype("f8"))
    # name: (the body of k(const __half* x, const __half* z, __half* y), the expected y)
    HALF: dict[str, tuple[str, Any]] = {
        "sum": ("y[i] = x[i] + z[i];", X + Z),
        "product and quotient": (
            "y[i] = __hmul(x[i], z[i]) / __hadd(z[i], __float2half(1.5f));",
            (X * Z) / (Z + half(1.5)),
        ),
        "fma": ("y[i] = __hfma(x[i], z[i], x[i]);", FMA),
        "through float": (
            "y[i] = __float2half(__half2float(x[i]) * 3.0f + 0.1f);",
            half(F * np.float32(3) + np.float32(0.1)),
        ),
        "pairs": (
            "half2 p = __halves2half2(x[i], z[i]); p = p * __float2half2_rn(0.5f); p += p; y[i] = __low2half(p) - p.y;",
            (X * half(0.5) + X * half(0.5)) - (Z * half(0.5) + Z * half(0.5)),
        ),
        "comparison and local": ("half m = x[i]; if (__hgt(z[i], m)) m = z[i]; y[i] = -m;", -np.where(Z > X, Z, X)),
        "bits": ("y[i] = __ushort_as_half(__half_as_ushort(x[i]) ^ 0x8000);", -X),
        "integers": (
            "y[i] = __int2half_rn(i * 37) + __half(__half2int_rz(z[i]));",
            half(np.arange(N) * 37) + half(np.trunc(G)),
        ),
        "square root": ("y[i] = hsqrt(__habs(x[i]));", half(np.sqrt(np.abs(X.astype("f8"))))),
    }


def read(tmp_path: Path, body: str, t: str = "__half") -> Program:
    path = tmp_path / "k.cu"
    path.write_text(
        "#include <cuda_fp16.h>\n#include <cuda_bf16.h>\n"
        f"__global__ void k(const {t}* x, const {t}* z, {t}* y) {{ int i = threadIdx.x;\n{body}\n}}"
    )
    program = resolve_spaces(read_cuda(path, "k")[0])
    validate(program)
    return program


def run(program: Program, x: np.ndarray, z: np.ndarray, device: str = "h100") -> np.ndarray:
    names = [p.name for p in program.kernel.params]
    roles: dict[str, Any] = {names[0]: "in", names[1]: "in", names[2]: "out"}
    args = dict(zip(names, (x, z, np.zeros_like(x)), strict=True))
    done = emulate(program, load_machine(device), Launch((1, 1, 1), (N, 1, 1)), args, roles=roles)
    assert not done.findings, done.findings
    return done.buffers[names[2]]


def same(got: np.ndarray, want: Any) -> None:
    want = np.asarray(want, "f2")
    np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
    there = ~np.isnan(want)
    np.testing.assert_array_equal(got.view("u2")[there], want.view("u2")[there])


@pytest.mark.parametrize("name", HALF)
def test_half_in_emulation(tmp_path: Path, name: str) -> None:
    body, want = HALF[name]
    same(run(read(tmp_path, body), X, Z), want)


@pytest.mark.parametrize("name", HALF)
def test_half_kept_as_bits_gives_the_same(tmp_path: Path, name: str) -> None:
    body, want = HALF[name]
    program = soften(read(tmp_path, body), {F16})
    validate(program)
    assert "f16" not in {str(getattr(p.type, "elem", p.type)) for p in program.kernel.params}
    same(run(program, X, Z), want)


@pytest.mark.parametrize("device", ["m4", "mi300x", "h100"])
@pytest.mark.parametrize("name", HALF)
def test_half_written_and_read_back(tmp_path: Path, name: str, device: str) -> None:
    from importlib import import_module

    from gpuport.porting.translate import language_for

    body, want = HALF[name]
    machine = load_machine(device)
    plan = WritePlan("k", {"x": "in", "z": "in", "y": "out"}, (N, 1, 1), "k.cu")
    writer = import_module(f"gpuport.backends.{language_for(machine)}.writer")
    text = writer.write(read(tmp_path, body), machine, plan)
    same(run(resolve_spaces(read_text(text)), X, Z, device), want)


def bf16(v: Any) -> np.ndarray:
    """The bits of the nearest bfloat16, ties to even, of float32 values."""
    bits = np.asarray(v, "f4").view("u4")
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("u2")


def wide(bits: np.ndarray) -> np.ndarray:
    return (bits.astype("u4") << 16).view("f4")


BX, BZ = (bf16(RNG.standard_normal(N).astype("f4") * 100) for _ in range(2))
BFLOAT: dict[str, tuple[str, np.ndarray]] = {
    "sum of products": ("y[i] = x[i] * z[i] + x[i];", bf16(wide(bf16(wide(BX) * wide(BZ))) + wide(BX))),
    "through float": (
        "y[i] = __float2bfloat16(__bfloat162float(x[i]) * 0.3f);",
        bf16(wide(BX) * np.float32(0.3)),
    ),
}


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("name", BFLOAT)
def test_bfloat16(tmp_path: Path, name: str, soft: bool) -> None:
    body, want = BFLOAT[name]
    program = read(tmp_path, body, "__nv_bfloat16")
    program = soften(program, {BF16}) if soft else program
    validate(program)
    np.testing.assert_array_equal(run(program, BX, BZ), want)


def test_what_bits_cannot_do_is_refused(tmp_path: Path) -> None:
    program = read(tmp_path, "atomicAdd(&y[i], x[i]);\ny[i] = __double2half((double)i);")
    with pytest.raises(Refusal) as caught:
        soften(program, {F16})
    assert {d.number for d in caught.value.diagnostics} == {"GP2005"}
    assert sorted(d.loc.line for d in caught.value.diagnostics if d.loc) == [4, 5]
