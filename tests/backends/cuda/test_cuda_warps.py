"""Warp operations with masks, match and reduce: from CUDA to every destination, against NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from gpuport.backends.base import Launch
from gpuport.backends.clike.plan import WritePlan
from gpuport.backends.emulator import emulate
from gpuport.backends.readers import read_source, read_text
from gpuport.hwmodels import load_machine
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.rewrites.spaces import resolve_spaces
from gpuport.ir.validate import validate
from gpuport.porting.specialise import specialise

if TYPE_CHECKING:
    from pathlib import Path

LANE = np.arange(64) % 32
WARP = np.arange(64) // 32 * 32
X = (np.arange(64, dtype=np.int32) * 37) % 11 - 3
POSITIVE = np.array([sum(1 << i for i in range(32) if X[w + i] > 0) for w in WARP], np.int64)
DESTINATIONS = ("h100", "m4", "mi300x", "cpu")


def lowest(values: np.ndarray, width: int) -> np.ndarray:
    """Sums of segments of `width`, in the first lane of each; elsewhere what `y` had."""
    out = np.full(64, -1)
    for first in range(0, 64, 32):
        out[first] = values[first : first + width].sum()
    return out


# the body of k(const int* x, int* y), with i the thread, lane its lane and v = x[i]; y begins as -1
BODIES: dict[str, tuple[str, Any]] = {
    "half warp": (
        "if (lane < 16) { for (int d = 8; d > 0; d /= 2) v += __shfl_down_sync(0x0000ffffu, v, d); if (lane == 0) y[i] = v; }",
        lowest(X, 16)),
    "upper half": (
        "if (lane >= 16) { v += __shfl_xor_sync(0xffff0000u, v, 1); y[i] = v; }", np.where(LANE >= 16, X + X[np.arange(64) ^ 1], -1)),
    "ballot as mask": (
        "const unsigned m = __ballot_sync(0xffffffffu, v > 0); if (v > 0) { const int s = __shfl_sync(m, v, __ffs(m) - 1); y[i] = s; }",
        np.where(X > 0, [X[w + (m & -m).bit_length() - 1] for w, m in zip(WARP, POSITIVE.tolist(), strict=True)], -1)),
    "votes of the low lanes": (
        "if (lane < 8) y[i] = __any_sync(0xffu, v > 6) + 2 * __all_sync(0xffu, v > -4) + 4 * (int)__ballot_sync(0xffu, v > 0);",
        [int(any(X[w:w + 8] > 6)) + 2 + 4 * (int(p) & 255) if j < 8 else -1 for j, w, p in zip(LANE, WARP, POSITIVE, strict=True)]),
    "masks that meet at one vote": (
        "const unsigned m = lane < 16 ? 0xffffu : 0xffff0000u; y[i] = __popc(__ballot_sync(m, v > 0)) + 100 * __any_sync(m, v > 6)"
        " + 1000 * (__all_sync(m, v > -3) != 0);",
        [(lambda part: int((part > 0).sum()) + 100 * int(any(part > 6)) + 1000 * int(all(part > -3)))(X[h:h + 16])
         for h in np.arange(64) // 16 * 16]),
    "match any": ("y[i] = __match_any_sync(0xffffffffu, v);",
                  np.array([sum(1 << j for j in range(32) if X[w + j] == X[k]) for k, w in enumerate(WARP)], np.uint32).view(np.int32)),
    "match all": ("int same; const unsigned m = __match_all_sync(0xffffffffu, v, &same); y[i] = same + (m != 0u) * 2;", np.zeros(64)),
    "match all of equals": ("int same; const unsigned m = __match_all_sync(~0u, lane / 32, &same); y[i] = same + (m == ~0u) * 2;",
                            np.full(64, 3)),
    "reduce": ("y[i] = __reduce_add_sync(0xffffffffu, v) * 100 + __reduce_max_sync(0xffffffffu, v) * 10 + __reduce_min_sync(~0u, v);",
               [int(X[w:w + 32].sum()) * 100 + int(X[w:w + 32].max()) * 10 + int(X[w:w + 32].min()) for w in WARP]),
    "reduce bits": ("y[i] = __reduce_or_sync(~0u, 1u << (v & 7)) + 1000 * __reduce_xor_sync(~0u, (unsigned)lane & 5u) + __reduce_and_sync(~0u, 6u);",
                    [int(np.bitwise_or.reduce(1 << (X[w:w + 32] & 7))) + 6 for w in WARP]),
    "syncwarp of a part": ("__shared__ int s[64]; if (lane < 16) { s[i] = v; __syncwarp(0xffffu); y[i] = s[i ^ 1]; }",
                           np.where(LANE < 16, X[np.arange(64) ^ 1], -1)),
    "count": ("y[i] = __syncthreads_count(v > 0) + 100 * (__syncthreads_or(v > 6) != 0) + 1000 * (__syncthreads_and(v > -4) != 0);",
              np.full(64, int((X > 0).sum()) + 100 * int((X > 6).any()) + 1000)),
    "aggregated atomic": (
        "__shared__ int n; if (i == 0) n = 0; __syncthreads(); if (v > 0) { const unsigned m = __activemask(); const int leader = __ffs(m) - 1;"
        " int base = 0; if (lane == leader) base = atomicAdd(&n, __popc(m)); base = __shfl_sync(m, base, leader); (void)base; }"
        " __syncthreads(); y[i] = n;", np.full(64, int((X > 0).sum()))),
}  # fmt: skip


def source(tmp_path: Path, body: str) -> Any:
    path = tmp_path / "k.cu"
    head = "const int i = threadIdx.x, lane = i & 31; int v = x[i];"
    path.write_text(f"__global__ void k(const int* x, int* y) {{\n  {head}\n  {body}\n}}")
    program, _ = read_source(path, "k")
    validate(program)
    return program


def emulated(program: Any, machine: Any, names: tuple[str, str] = ("x", "y")) -> np.ndarray:
    x, y = names
    args = {x: X, y: np.full(64, -1, np.int32)}
    done = emulate(program, machine, Launch((1, 1, 1), (64, 1, 1), 0), args, roles={x: "in", y: "inout"})
    assert not done.findings, done.findings
    return done.buffers[y]


def ported(program: Any, device: str) -> Any:
    """The program as text for a device, read back."""
    dst = load_machine(device)
    language = {"h100": "cuda", "m4": "metal"}.get(device, "opencl")
    block = (64, 1, 1)
    roles = {"x": "in", "y": "inout"}
    special = specialise(
        resolve_spaces(program), load_machine("h100"), dst, language=language, block=block, max_block=block,  # pyright: ignore[reportArgumentType]
        shared_bytes=0, roles=roles, inits={"y": -1.0},
    )  # fmt: skip
    validate(special.program)
    plan = WritePlan("k", roles, block, "k.cu")  # pyright: ignore[reportArgumentType]
    if language == "cuda":
        from gpuport.backends.cuda.writer import write
    elif language == "metal":
        from gpuport.backends.metal.writer import write
    else:
        from gpuport.backends.opencl.writer import write
    return read_text(write(special.program, dst, plan))


@pytest.mark.parametrize("name", BODIES)
def test_warp_operations(tmp_path: Path, name: str) -> None:
    body, expected = BODIES[name]
    program = source(tmp_path, body)
    want = np.asarray(expected).astype(np.int32)
    np.testing.assert_array_equal(emulated(program, load_machine("h100")), want)
    for device in DESTINATIONS:
        back = ported(program, device)
        names = [p.name for p in back.kernel.params]
        got = emulated(back, load_machine(device), (names[0], names[1]))
        np.testing.assert_array_equal(got, want, err_msg=device)


WRONG = {
    "a lane that does not come": ("if (lane < 8) y[i] = __shfl_sync(0xffffu, v, 0);", "names a lane"),
    "a lane not in its own mask": ("y[i] = __shfl_sync(0xffffu, v, 0);", "is not in the mask"),
    "too far": ("y[i] = __shfl_down_sync(0xffffffffu, v, 32 + (lane & 1));", "(down 32)"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_masks_are_found_in_the_source(tmp_path: Path, name: str) -> None:
    body, what = WRONG[name]
    args = {"x": X, "y": np.full(64, -1, np.int32)}
    launch = Launch((1, 1, 1), (64, 1, 1), 0)
    done = emulate(source(tmp_path, body), load_machine("h100"), launch, args, roles={"x": "in", "y": "inout"})
    found = done.findings or done.suspects
    assert [f.kind for f in found] == ["shuffle"]
    assert what in found[0].message


def test_a_mask_reaches_no_language_without_masks(tmp_path: Path) -> None:
    from gpuport.backends.metal.writer import write

    program = resolve_spaces(source(tmp_path, "if (lane < 8) y[i] = __shfl_sync(0xffu, v, 0);"))
    with pytest.raises(Refusal, match="GP1108"):
        write(program, load_machine("m4"), WritePlan("k", {"x": "in", "y": "inout"}, (64, 1, 1)))


LADDERS = {
    "a function of a volatile pointer": (
        "__device__ void last(volatile int* s, int t) { s[t] += s[t + 32]; s[t] += s[t + 16]; s[t] += s[t + 8]; s[t] += s[t + 4];"
        " s[t] += s[t + 2]; s[t] += s[t + 1]; }",
        "__shared__ int s[96]; s[i] = v; if (i < 32) s[64 + i] = 0; __syncthreads(); if (i < 32) last(s, i); __syncthreads(); y[i] = s[0];",
        int(X.sum()),
    ),
    "a volatile array": (
        "",
        "__shared__ volatile int s[64]; s[i] = v; __syncthreads(); if (i < 32) { s[i] += s[i + 32]; s[i] += s[i + 16 & 31]; s[i] += s[i + 8 & 31];"
        " s[i] += s[i + 4 & 31]; s[i] += s[i + 2 & 31]; s[i] += s[i + 1 & 31]; } __syncthreads(); y[i] = s[0];",
        int(X.sum()),
    ),
    "ifs": (
        "",
        "__shared__ volatile int s[64]; s[i] = v; __syncthreads(); if (lane < 16) s[i] += s[i + 16]; if (lane < 8) s[i] += s[i + 8];"
        " if (lane < 4) s[i] += s[i + 4]; y[i] = s[i / 32 * 32];",
        [int(X[w : w + 32 : 4].sum()) for w in WARP],
    ),
}


@pytest.mark.parametrize("name", LADDERS)
def test_warp_synchronous_ladders_get_their_barriers(tmp_path: Path, name: str) -> None:
    head, body, expected = LADDERS[name]
    path = tmp_path / "k.cu"
    path.write_text(
        f"{head}\n__global__ void k(const int* x, int* y) {{\n const int i = threadIdx.x, lane = i & 31; int v = x[i];\n {body}\n}}"
    )
    program, _ = read_source(path, "k")
    validate(program)
    want = np.broadcast_to(np.asarray(expected, np.int32), 64)
    np.testing.assert_array_equal(emulated(program, load_machine("h100")), want)
    for device in DESTINATIONS:
        back = ported(program, device)
        names = [p.name for p in back.kernel.params]
        np.testing.assert_array_equal(emulated(back, load_machine(device), (names[0], names[1])), want, err_msg=device)
    special = specialise(
        program, load_machine("h100"), load_machine("m4"), language="metal", block=(64, 1, 1), max_block=(64, 1, 1),
        shared_bytes=0, roles={"x": "in", "y": "inout"}, inits={"y": -1.0},
    )  # fmt: skip
    assert [d.number for d in special.diagnostics] == ["GP3003"]
