"""Loops that wait for other threads are told from those that make progress by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from gpuport.backends.readers import read_source
from gpuport.hwmodels import load_machine
from gpuport.ir.analysis.progress import waiting_loop
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.rewrites.spaces import resolve_spaces
from gpuport.porting.specialise import specialise

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "__device__ bool try_lock(int* m) { return atomicCAS(m, 0, 1) == 0; }\n"

# bodies of k(int* p, volatile int* v, unsigned* table, float* f, int n), the loop on the last line
WAITING = {
    "spin lock": "while (atomicCAS(p, 0, 1) != 0) { }\n atomicExch(p, 0);",
    "spin lock in a variable": "int old; do { old = atomicCAS(p, 0, 1); } while (old != 0);",
    "lock by exchange": "while (atomicExch(p, 1) == 1) ;",
    "lock taken under an if": "bool done = false; while (!done) { if (atomicCAS(p, 0, 1) == 0) { p[1] += 1; atomicExch(p, 0); done = true; } }",
    "lock in a function": "while (!try_lock(p)) ;",
    "flag": "while (v[0] == 0) ;",
    "look-back": "for (int b = blockIdx.x - 1; b >= 0; --b) { int state; do { state = v[b]; } while (state == 0); if (state == 2) break; }",
    "poll": "while (atomicAdd(p, 0) < n) ;",
}
PROGRESS = {
    "sum by compare and swap": "int* a = (int*)f; int old = *a, seen; do { seen = old; old = atomicCAS(a, seen, __float_as_int(__int_as_float(seen) + 1.0f)); } while (old != seen);",
    "largest by compare and swap": "int* a = (int*)f; int old = *a; while (__int_as_float(old) < 3.0f) { int seen = old; old = atomicCAS(a, seen, __float_as_int(3.0f)); if (old == seen) break; }",
    "queue": "int i; while ((i = atomicAdd(p, 1)) < n) f[i] = 1.0f;",
    "hash table": "unsigned s = threadIdx.x % n; while (true) { unsigned old = atomicCAS(&table[s], 0u, threadIdx.x + 1u); if (old == 0u || old == threadIdx.x + 1u) break; s = (s + 1) % n; }",
    "wrapping counter": "atomicInc(table, 7u);",
    "volatile scan": "int s = 0; for (int i = 0; i < n; ++i) { if (v[i] == 0) break; s += v[i]; } f[0] = s;",
}  # fmt: skip


def read(tmp_path: Path, body: str) -> Any:
    path = tmp_path / "k.cu"
    path.write_text(
        f"{HEAD}__global__ void k(int* p, volatile int* v, unsigned* table, float* f, int n) {{\n  {body}\n}}"
    )
    return resolve_spaces(read_source(path, "k")[0])


@pytest.mark.parametrize("name", WAITING)
def test_waiting_loops_are_refused_without_forward_progress(tmp_path: Path, name: str) -> None:
    program = read(tmp_path, WAITING[name])
    loop = waiting_loop(program)
    assert loop is not None
    assert loop.loc is not None
    assert loop.loc.line == 3
    block, roles = (32, 1, 1), dict.fromkeys(("p", "v", "table", "f"), "inout")
    given: Any = {
        "block": block,
        "max_block": block,
        "shared_bytes": 0,
        "roles": roles,
        "inits": dict.fromkeys(roles, 0.0),
    }
    h100 = load_machine("h100")
    with pytest.raises(Refusal, match="GP2010"):
        specialise(program, h100, load_machine("m4"), language="metal", **given)
    specialise(program, h100, h100, language="cuda", **given)


@pytest.mark.parametrize("name", PROGRESS)
def test_loops_that_make_progress_by_themselves_are_kept(tmp_path: Path, name: str) -> None:
    assert waiting_loop(read(tmp_path, PROGRESS[name])) is None


def test_dynamic_parallelism_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "k.cu"
    path.write_text(
        "__global__ void child(int* p) { p[0] = 1; }\n__global__ void k(int* p) {\n  child<<<1, 32>>>(p);\n}"
    )
    with pytest.raises(Refusal) as refusal:
        read_source(path, "k")
    first = refusal.value.diagnostics[0]
    assert first.number == "GP1102"
    assert "dynamic parallelism" in first.message
    assert first.loc is not None
    assert first.loc.line == 3
