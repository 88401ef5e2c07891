"""Plain reads before a compare-and-swap: which only guess, and which are reads like any other."""

from __future__ import annotations

from pathlib import Path

import pytest
from gpuport.backends.emulator.guesses import guesses, swapping
from gpuport.backends.readers import read_source
from gpuport.ir import nodes as ir

GUESSES = {
    "the idiom": """
        int* bits = (int*)p; int old = *bits, assumed;
        do { assumed = old; old = atomicCAS(bits, assumed, __float_as_int(v + __int_as_float(assumed))); }
        while (assumed != old);
        return __int_as_float(old);""",
    "read again each time": """
        float old, next;
        do { old = *p; next = old + v; }
        while (atomicCAS((int*)p, __float_as_int(old), __float_as_int(next)) != __float_as_int(old));
        return old;""",
    "left by a break": """
        int* bits = (int*)p; int old = *bits;
        while (true) {
            int assumed = old;
            old = atomicCAS(bits, assumed, __float_as_int(fmaxf(v, __int_as_float(assumed))));
            if (old == assumed) break;
        }
        return __int_as_float(old);""",
    "an element": """
        for (int i = 0; i < n; ++i) {
            int old = __float_as_int(p[i]), assumed;
            do { assumed = old; old = atomicCAS((int*)&p[i], assumed, __float_as_int(v)); } while (assumed != old);
        }
        return v;""",
    "unused": "int old = *(int*)p; atomicCAS((int*)p, old, 1); return v;",
}
ORDINARY = {
    "returned": "int old = *(int*)p; atomicCAS((int*)p, old, 1); return __int_as_float(old);",
    "returned where the swap failed": """
        int old = *(int*)p; if (atomicCAS((int*)p, old, 1) != old) return __int_as_float(old); return v;""",
    "decides whether to swap": """
        int* bits = (int*)p; int old = *bits, assumed;
        while (__int_as_float(old) < v) {
            assumed = old; old = atomicCAS(bits, assumed, __float_as_int(v)); if (assumed == old) break;
        }
        return v;""",
    "another element is swapped": "int old = *(int*)p; atomicCAS((int*)p + 1, old, 1); return v;",
    "the element changes": """
        int i = 0; int old = __float_as_int(p[i]); ++i; atomicCAS((int*)&p[i], old, 1); return v;""",
    "another value is expected": "int old = *(int*)p; atomicCAS((int*)p, 0, old + 1); return v;",
    "the new value is of the first read": """
        int old = *(int*)p, assumed, next = old + 1;
        do { assumed = old; old = atomicCAS((int*)p, assumed, next); } while (assumed != old);
        return v;""",
    "the new value is of the read before": """
        float old, next = 0.0f, last;
        do { last = next; old = *p; next = old + v; }
        while (atomicCAS((int*)p, __float_as_int(old), __float_as_int(last)) != __float_as_int(old));
        return v;""",
    "an index": "int old = *(int*)p; atomicCAS((int*)p, old, __float_as_int(p[old])); return v;",
    "stored": "int old = *(int*)p; atomicCAS((int*)p, old, 1); ((int*)p)[n] = old; return v;",
    "compared with something else": """
        int old = *(int*)p, other = n; do { atomicCAS((int*)p, old, 1); } while (other != old); return v;""",
    "no swap": "int old = *(int*)p; atomicAdd((int*)p, old); return v;",
}


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ir.Function]:
    """The cases as device functions of one program."""
    bodies = {**GUESSES, **ORDINARY}
    named = {name: f"f{i}" for i, name in enumerate(bodies)}
    text = "\n".join(f"__device__ float {named[n]}(float* p, float v, int n) {{ {b} }}" for n, b in bodies.items())
    calls = " + ".join(f"{f}(p, v, n)" for f in named.values())
    file: Path = tmp_path_factory.mktemp("guesses") / "k.cu"
    file.write_text(f"{text}\n__global__ void k(float* p, float v, int n) {{ p[0] = {calls}; }}\n")
    program, _ = read_source(file, "k")
    return {name: program.function(f) for name, f in named.items()}


@pytest.mark.parametrize("name", GUESSES)
def test_what_only_a_swap_sees_is_a_guess(functions: dict[str, ir.Function], name: str) -> None:
    assert len(guesses(functions[name], {})) == 1


@pytest.mark.parametrize("name", ORDINARY)
def test_what_goes_anywhere_else_is_a_read(functions: dict[str, ir.Function], name: str) -> None:
    assert not guesses(functions[name], {})


WRAPPERS = {
    "as Metal's": """int w = e; int seen = e;
        while (true) { w = seen; int old = atomicCAS(p, w, v); seen = old; if (old == w) break; if (seen != e) break; }
        return seen;""",
    "plain": "return atomicCAS(p, e, v);",
}
NO_WRAPPERS = {
    "another value": "int old = atomicCAS(p, e, v); return old + 1;",
    "the expected value": "atomicCAS(p, e, v); return e;",
    "stores as well": "int old = atomicCAS(p, e, v); p[0] = v; return old;",
    "expects something else": "return atomicCAS(p, 0, v);",
    "falls off": "int old = atomicCAS(p, e, v); return e == 3 ? v : old;",
}
CALLER = "int old = *p, seen; do { seen = old; old = f{i}(p, seen, seen + v); } while (old != seen); return old;"


@pytest.mark.parametrize("name", [*WRAPPERS, *NO_WRAPPERS])
def test_functions_that_swap(name: str, tmp_path: Path) -> None:
    body = {**WRAPPERS, **NO_WRAPPERS}[name]
    text = f"__device__ int f0(int* p, int e, int v) {{ {body} }}\n"
    text += f"__device__ int g(int* p, int v) {{ {CALLER.replace('{i}', '0')} }}\n"
    (tmp_path / "k.cu").write_text(f"{text}__global__ void k(int* p, int v) {{ g(p, v); }}\n")
    program, _ = read_source(tmp_path / "k.cu", "k")
    calls = swapping(program.functions)
    assert ("f0" in calls) == (name in WRAPPERS)
    assert bool(guesses(program.function("g"), calls)) == (name in WRAPPERS)
