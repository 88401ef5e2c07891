"""Whatever text they are given, the readers give a program or numbered diagnostics, soon."""

from __future__ import annotations

import random
import re
import signal
import tempfile
import time
from pathlib import Path

import pytest
from gpuport.backends.readers import read_source
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.nodes import Program
from gpuport.ir.validate import validate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[3]
SECONDS = 60  # one read takes under a second; the machine may be busy

SOURCES = {
    "examples/softmax/softmax.cu": "softmax<256>",
    "examples/histogram/histogram.cu": "histogram",
    "examples/rmsnorm/rmsnorm.cu": "rmsnorm<float, 256>",
    "tests/kernels/pointers/comparator.cu": "comparator<64>",
    "tests/kernels/control/opcode_switch.cu": "opcode_switch",
    "tests/kernels/warp/warp_sort.cu": "warp_sort",
    "tests/kernels/opencl/block_reduce.cl": "block_reduce",
    "tests/kernels/opencl/histogram_local.cl": "histogram_local",
}
TOKEN = re.compile(r"\w+|\s+|.", re.DOTALL)
INSERTED = [
    "{", "}", "(", ")", ";", ",", "*", "&", "[", "]", "<", ">", "return", "break", "continue", "0", "-1", "1e400f", "0x",
    "float4", "__shared__", "__local", "__global__", "template", "struct", "goto", "switch", "case", "sizeof", "?", ":",
    "=", "+=", "<<", "#define X", "\\", '"', "'", "/*", "//", "\n", "\0", "é", "operator", "this", "threadIdx", "nullptr",
]  # fmt: skip


def _alarm(_signal, _frame):
    raise TimeoutError(f"no answer in {SECONDS} s")


def outcome(text: str, entry: str, suffix: str) -> Program | Refusal:
    """Read a source; anything but a valid program or a refusal with its lines in the file escapes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"fuzzed{suffix}"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        before = signal.signal(signal.SIGALRM, _alarm)
        signal.alarm(SECONDS)
        try:
            program, _ = read_source(path, entry)
        except Refusal as refused:
            refusal = refused
        else:
            validate(program)
            return program
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, before)
    lines = len(re.split(r"\r\n|\r|\n", text)) + 1
    assert refusal.diagnostics
    for d in refusal.diagnostics:
        assert re.fullmatch(r"GP[123]\d\d\d", d.number)
        assert d.message
        assert d.loc is None or d.loc.file != path.name or 1 <= d.loc.line <= lines, (d, lines)
    return refusal


def mutated(text: str, seed: int) -> str:
    """A few tokens of the text deleted, doubled, swapped or replaced, or what follows one of them cut off."""
    rng = random.Random(seed)
    tokens = TOKEN.findall(text)
    for _ in range(rng.choice([1, 1, 2, 4, 9])):
        i, k = rng.randrange(len(tokens)), rng.randrange(len(tokens))
        match rng.randrange(7):
            case 0:
                del tokens[i : i + rng.choice([1, 1, 3, 20])]
            case 1:
                tokens.insert(i, tokens[k])
            case 2:
                tokens[i], tokens[k] = tokens[k], tokens[i]
            case 3:
                tokens[i] = rng.choice(INSERTED)
            case 4:
                tokens.insert(i, rng.choice(INSERTED))
            case 5:
                tokens[i] = tokens[k]
            case _:
                tokens = tokens[: i + 1] if rng.random() < 0.3 else tokens
        tokens = tokens or [" "]
    return "".join(tokens)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(SOURCES)), st.integers(0, 2**32))
def test_mutated_sources_are_read_or_refused(name, seed):
    outcome(mutated((ROOT / name).read_text(), seed), SOURCES[name], Path(name).suffix)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(SOURCES)), st.floats(0, 1))
def test_truncated_sources_are_refused(name, share):
    text = (ROOT / name).read_text()
    cut = text[: int(share * len(text.rstrip("}\n ")))]
    assert isinstance(outcome(cut, SOURCES[name], Path(name).suffix), Refusal)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=200), st.sampled_from([".cu", ".cl"]))
def test_any_text_is_refused(text, suffix):
    assert isinstance(outcome(text, "kernel", suffix), Refusal)


DEEP = {
    "terms of a sum": lambda n: "y[i] = " + " + ".join(["x[i]"] * n) + ";",
    "signs": lambda n: "int k = n; y[i] = " + "-~" * n + "k;",
    "calls": lambda n: "y[i] = " + "fabsf(" * n + "x[i]" + ")" * n + ";",
    "parentheses": lambda n: "y[i] = " + "(1.0f + " * n + "x[i]" + ")" * n + ";",
    "blocks": lambda n: "{" * n + "y[i] = x[i];" + "}" * n,
    "conditions": lambda n: "if (n > 0) " * n + "y[i] = x[i];",
    "loops": lambda n: "".join(f"for (int a{k} = 0; a{k} < 1; ++a{k}) " for k in range(n)) + "y[i] = x[i];",
    "else if": lambda n: " else ".join(f"if (n == {k}) y[i] = {k}.0f;" for k in range(n)),
    "conditional expressions": lambda n: "y[i] = " + "".join(f"n == {k} ? {k}.0f : " for k in range(n)) + "x[i];",
}  # fmt: skip


def kernel(body: str) -> str:
    return f"__global__ void k(const float* x, float* y, int n) {{\n  int i = threadIdx.x;\n  {body}\n}}\n"


@pytest.mark.parametrize("name", DEEP)
def test_nesting_is_read_or_refused_by_number(name):
    assert isinstance(outcome(kernel(DEEP[name](30)), "k", ".cu"), Program)
    for depth in (250, 3000):
        refusal = outcome(kernel(DEEP[name](depth)), "k", ".cu")
        assert isinstance(refusal, Refusal)
        assert {d.number for d in refusal.diagnostics} <= {"GP1001", "GP1109"}, refusal


LONG = {
    "comment lines": lambda n: "// nothing\n" * n + kernel("y[i] = x[i];"),
    "statements": lambda n: kernel("\n".join(f"y[i + {k}] = x[i] * {k}.5f;" for k in range(n // 2))),
    "functions that are not called": lambda n: (
        "\n".join(f"__device__ float f{k}(float v) {{ return v * {k}; }}" for k in range(n // 4)) + kernel("y[i] = f7(x[i]);")
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LONG)
def test_ten_thousand_lines_are_read_in_time(name):
    started = time.monotonic()
    assert isinstance(outcome(LONG[name](10_000), "k", ".cu"), Program)
    assert time.monotonic() - started < SECONDS


# each line with what it is refused for: what gpuport does not support and what no compiler takes, side by side
CONSTRUCTS = [
    ("again: if (n > 9) goto again;", "GP1101"),
    ('asm("bar.warp.sync 0;");', "GP1101"),
    ('printf("%d", n);', "GP1104"),
    ("static int counter = 0;", "GP1107"),
    ("__trap();", "GP1104"),
    ("long long t = clock64();", "GP1104"),
    ("(n > 0 ? atomicAdd(y, 1) : 0) + 1;", "GP1105"),
    ("int* p = new int;", "GP1102"),
    ("y[1] = undeclared_thing;", "GP1001"),
    ("y[2] = n +;", "GP1001"),
    ('const char* text = "abc";', "GP1102"),
    ("long double q = 1.0L;", "GP1103"),
    ("__nanosleep(10);", "GP1104"),
    ("__int128 big = n;", "GP1103"),
    ("std::vector<int> list;", "GP1001"),
    ("k<<<1, 1>>>(y, n);", "GP1102"),
    ("throw 1;", "GP1001"),
    ("int (*call)(int) = 0;", "GP1103"),
    ("y[5] = ({ int q = n; q; });", "GP1102"),
    ("int z = 3 4;", "GP1001"),
    ("other: y[6] = 1;", "GP1101"),
]


def test_twenty_constructs_give_twenty_diagnostics_in_one_run():
    body = "\n".join(line for line, _ in CONSTRUCTS)
    refusal = outcome(f"__global__ void k(int* y, int n) {{\n{body}\n}}\n", "k", ".cu")
    assert isinstance(refusal, Refusal)
    found: dict[int, str] = {}
    for d in refusal.diagnostics:
        assert d.loc is not None
        found.setdefault(d.loc.line, d.number)
    for line, (text, number) in enumerate(CONSTRUCTS, 2):
        assert found.get(line, "nothing").startswith(number), (line, text, found.get(line))
    assert len(CONSTRUCTS) >= 20
