"""Each gate refutes what only it can see; real kernels, run by PoCL or the emulated device."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gpuport.backends.base import Finding, KernelText, Launch, RunResult, TextParam
from gpuport.backends.compilers import Assembly
from gpuport.backends.inprocess import InProcess
from gpuport.backends.isolate import Done
from gpuport.backends.opencl.reader import read_opencl
from gpuport.hwmodels import load_machine
from gpuport.hwmodels.probe.pocl import VARIABLE
from gpuport.porting.spec import Kernel
from gpuport.porting.spec.data import POISONS, Inputs, arguments, poisoned
from gpuport.porting.translate import read_kernel, translate
from gpuport.porting.verify import Case, Expectation, Expected, Oracle, Verification, gates, verify, verify_with
from gpuport.porting.verify.assembles import gate_assembles

KERNELS = Path(__file__).parents[2] / "kernels"

CPU = load_machine("cpu")

SIGNATURE = "__kernel void k(__global const float* x, __global float* y, int n)"
SOURCE = f"""{SIGNATURE} {{
  int i = get_global_id(0);
  if (i < n) y[i] = 2.0f * x[i] + 1.0f;
}}"""

ARGS: dict[str, Any] = {
    "x": {"dtype": "f32", "shape": ["n"], "role": "in"},
    "y": {"dtype": "f32", "shape": ["n"], "role": "out"},
    "n": {"dtype": "i32", "value": "n"},
}
PARAMS = (
    TextParam("x", "buffer", "f32", "in"), TextParam("y", "buffer", "f32", "out"), TextParam("n", "scalar", "i32"),
)  # fmt: skip


def twice_and_one(inputs: dict[str, Any]) -> Any:
    return 2.0 * inputs["x"] + 1.0


@pytest.fixture(autouse=True)
def _pocl(monkeypatch):
    monkeypatch.setenv(VARIABLE, os.environ.get(VARIABLE, "auto"))


@pytest.fixture
def judge(tmp_path):
    """Judge a candidate's text against a source: `judge(candidate, source=..., backend=..., ...)`."""

    def run(
        candidate: str, *, source: str = SOURCE, backend: str = "opencl", reference: Any = twice_and_one,
        sizes: Any = (100,), block: int = 64, limit: float = 20.0, compare: Any = None, isolated: bool = False,
        kinds: Any = ("normal", "exact"), alias: Any = (), runs: Any = None, dst: Any = CPU,
        **options: Any,
    ) -> Verification:  # fmt: skip
        (tmp_path / "k.cl").write_text(source)
        spec = {"python": reference} if reference else {}
        kernel = Kernel(
            source="k.cl", entry="k", sizes={"n": list(sizes)}, args=ARGS, folder=tmp_path,
            launch={"grid": [f"cdiv(n, {block})"], "block": [block]}, reference={**spec, "compare": compare or {}}, verify={"alias": alias},
        )  # fmt: skip
        program, constants = read_opencl(tmp_path / "k.cl", "k")
        oracle = Oracle(kernel, program, CPU, 77)
        launches = [(s, kernel.launch(s, constants)) for s in kernel.size_sets()]
        cases = [Case(s, launch, launch, kinds=kinds) for s, launch in launches]
        text = KernelText("opencl", "k", candidate, PARAMS)
        if isolated:
            return verify(text, oracle, cases, dst, backend, time_limit=limit, **options)
        runner = (runs or InProcess)(backend, text, dst)
        return verify_with(runner, oracle, cases, dst, "opencl", backend, **options)

    return run


def refuted(v: Verification) -> set[str]:
    return {g.gate for g in v.gates if g.verdict == "refuted"}


def body(line: str) -> str:
    return f"{SIGNATURE} {{\n  int i = get_global_id(0);\n  {line}\n}}"


GOOD = "if (i < n) y[i] = 2.0f * x[i] + 1.0f;"


@pytest.mark.parametrize("backend", ["opencl", "emulator"])
def test_the_source_itself_passes(judge, backend):
    v = judge(SOURCE, backend=backend, sizes=(100, 1, 64, 65), isolated=True)
    assert (v.verdict, v.reason, v.refuted) == ("tested", "", None)
    assert {g.gate for g in v.gates} >= {"compiles", "completes", "values", "exact", "deterministic", "power", "guards"}
    assert all(g.size for g in v.gates if g.gate not in ("text", "accuracy", "compiles"))


class Remembers(InProcess):
    """A device on which a kernel keeps something: what it gives depends on the run before."""

    calls = 0

    def run(self, launch: Launch, args: Any, guard_bytes: int = 0, *, order_seed: int | None = None) -> Any:
        done = super().run(launch, args, guard_bytes, order_seed=order_seed)
        assert isinstance(done, Done)
        self.calls += 1
        if self.calls == 4:  # the first after the run on other inputs
            done.result.buffers["y"][0] = np.nextafter(done.result.buffers["y"][0], np.float32(9))
        return done


# for each gate a candidate, and how it is judged; see `test_each_gate_refutes_what_no_other_does`
ALONE: dict[str, tuple[str, dict[str, Any]]] = {
    # both branches are right, and so is each function as it is computed here
    "text": (f"\n#ifdef __SPIR__\n{GOOD}\n#else\n{GOOD}\n#endif\n", {"isolated": True}),
    "accuracy": ("if (i < n) y[i] = native_divide(2.0f * x[i] + 1.0f, 1.0f);", {"isolated": True}),
    "compiles": ("if (i < n) y[i] = 2.0f * x[i] + one;", {}),
    "completes": (f"{GOOD} if (i == 0) *(volatile __global int*)0 = 1;", {"isolated": True}),
    "source": (GOOD, {"source": SOURCE.replace("i < n", "i <= n")}),
    "sanitizer": (f"{GOOD} if (i == 0 && x[n] == 12345.0f) y[0] = 0.0f;", {"backend": "emulator"}),
    "guards": (f"{GOOD} if (i == 0) y[n] = 0.0f; if (i == 0) y[-1] = 0.0f;", {}),
    "inputs unchanged": (f"{GOOD} if (i == 3) ((__global float*)x)[3] = 5.0f;", {}),
    # nothing tells what values should be where the source looks at bits
    "outputs written": (
        "if (i < n - 1) y[i] = as_float(as_uint(x[i]) ^ 1u);",
        {"source": body("if (i < n) y[i] = as_float(as_uint(x[i]) ^ 1u);"), "reference": None},
    ),
    "values": ("if (i < n) { float v = 2.0f * x[i] + 1.0f; y[i] = v == rint(v) ? v : v * 1.0001f; }", {}),
    # within the bound, yet not what every order of exact operations gives
    "exact": ("if (i < n) { float v = 2.0f * x[i] + 1.0f; y[i] = v == rint(v) ? nextafter(v, 99.0f) : v; }", {}),
    "signed zeros": (
        "if (i < n) y[i] = x[i] == 0.0f ? 0.0f : 2.0f * x[i];",
        {"source": body("if (i < n) y[i] = 2.0f * x[i];"), "reference": None, "kinds": ("normal", "zeros")},
    ),
    # far within the bound
    "algebra": ("if (i < n) y[i] = 2.0f * x[i] + 1.0f + 1e-30f * x[i];", {"backend": "emulator"}),
    # looks again at what it has overwritten
    "alias": (
        "if (i < n) { float v = x[i]; y[i] = 2.0f * v + 1.0f; float w = x[i]; if (v == v && w != v) y[i] = 0.0f; }",
        {"backend": "emulator", "alias": [["x", "y"]]},
    ),
    "history": (GOOD, {"runs": Remembers}),
    # one unit in the last place off, where the buffer held a zero
    "deterministic": (
        "if (i < n) { uint old = as_uint(y[i]); float v = 2.0f * x[i] + 1.0f;"
        " y[i] = old == 0u && i == 5 && v != rint(v) ? nextafter(v, 9.0f) : v; }", {}),
}  # fmt: skip


@pytest.mark.parametrize("gate", ALONE)
def test_each_gate_refutes_what_no_other_does(judge, gate):
    line, how = ALONE[gate]
    v = judge(body(line), **how)
    assert refuted(v) == {gate}
    assert (v.verdict, v.reason.split(" at ")[0].split(":")[0]) == ("refuted", gate)
    if gate in ("text", "accuracy"):  # these are asked before any run; no other gate would have refuted it
        assert judge(body(line), **{**how, "isolated": False}).verdict == "tested"


def test_what_its_compiler_rejects_is_refuted():
    assert gate_assembles(Assembly("amdgcn", error="no such instruction")).verdict == "refuted"


def test_no_gate_is_without_its_case():
    assert {*ALONE, "assembles", "power"} == set(gates.GATES)


@pytest.mark.parametrize(
    ("line", "gate", "said"),
    [
        ("if (i < n - 1) y[i] = 2.0f * x[i] + 1.0f;", "outputs written", "1 of 100 elements of y are never written"),
        ("if (i < n) y[i] = 2.0f * x[n - 1 - i] + 1.0f;", "values", "100 of 100"),
        ("if (i < n) y[i] = i == 7 ? NAN : 2.0f * x[i] + 1.0f;", "values", "1 of 100"),
        ("if (i < n) y[i] = i == 7 ? INFINITY : 2.0f * x[i] + 1.0f;", "values", "1 of 100"),
        ("if (i < n) y[i] = 0.0f;", "values", "out of bounds"),
        ("if (i < n) y[i] = 2.0f * (as_float(as_uint(x[i]) & 0xFFFF0000u)) + 1.0f;", "values", "out of bounds"),
    ],
)  # fmt: skip
def test_wrong_results_are_refuted(judge, line, gate, said):
    v = judge(body(line))
    assert any(g.gate == gate and g.verdict == "refuted" and said in g.detail for g in v.gates)


def test_the_worst_element_is_named(judge):
    v = judge(body("if (i < n) y[i] = i == 7 ? 100.0f : 2.0f * x[i] + 1.0f;"))
    worst = next(g.worst for g in v.gates if g.gate == "values")
    assert worst is not None
    assert (worst.buffer, worst.index, worst.got) == ("y", (7,), 100.0)
    assert worst.share > 1e3


def test_a_kernel_that_never_ends_is_refuted(judge):
    v = judge(body("while (n > 0) { y[i] += 1.0f; }"), limit=2.0, isolated=True)
    assert refuted(v) == {"completes"}
    assert "did not end within 2 s" in v.reason


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("__local float t[64]; t[get_local_id(0)] = x[i < n ? i : 0]; if (i < n) y[i] = 2.0f * x[i] + 1.0f"
         " + 0.0f * t[get_local_id(0) ^ 1];", "race"),
        (f"{GOOD} if (i == 0 && x[n] == 12345.0f) y[0] = 0.0f;", "out-of-bounds"),
    ],
)  # fmt: skip
def test_the_emulated_device_finds_what_values_hide(judge, line, said):
    v = judge(body(line), backend="emulator")
    assert refuted(v) == {"sanitizer"}
    assert said in v.reason


def test_a_group_that_is_too_large_is_a_finding(judge):
    v = judge(SOURCE, block=8192)
    assert "sanitizer" in refuted(v)
    assert "4096" in v.reason or "8192" in v.reason


def test_a_source_that_disagrees_with_its_reference_verifies_nothing(judge):
    v = judge(SOURCE, reference=lambda i: 2.0 * i["x"] + 1.01)
    assert refuted(v) >= {"source"}
    assert any("the source gives" in g.detail for g in v.gates if g.gate == "source")


def test_a_source_with_a_defect_verifies_nothing(judge):
    v = judge(SOURCE, source=SOURCE.replace("i < n", "i <= n"))
    assert refuted(v) == {"source"}
    assert "out-of-bounds" in v.reason


BITS = body("if (i < n) y[i] = as_float(as_uint(x[i]) ^ 0x80000000u) * 3.0f;")


def test_without_bounds_and_reference_nothing_is_claimed(judge):
    v = judge(BITS, source=BITS, reference=None)
    assert (v.verdict, v.refuted) == ("unknown", None)
    assert any(g.gate == "values" and "no reference" in g.detail for g in v.gates)


def test_without_bounds_the_reference_gives_a_normwise_one(judge):
    v = judge(BITS, source=BITS, reference=lambda i: -3.0 * i["x"])
    assert v.verdict == "tested"
    assert any("normwise" in g.detail for g in v.gates)
    assert "values" in refuted(
        judge(body("if (i < n) y[i] = -3.001f * x[i];"), source=BITS, reference=lambda i: -3.0 * i["x"])
    )


def test_an_infinity_is_exact_normwise_too(judge):
    cut = body("if (i < n) y[i] = fmax(fmin(-3.0f * x[i], 3.4028235e38f), -3.4028235e38f);")
    assert "values" in refuted(judge(cut, source=BITS, reference=lambda i: -3.0 * i["x"], kinds=("infinity",)))


def test_without_a_reference_the_source_is_the_oracle(judge):
    assert judge(SOURCE, reference=None).verdict == "tested"
    assert "values" in refuted(judge(body("if (i < n) y[i] = 2.0f * x[i] + 1.001f;"), reference=None))


def test_the_users_tolerance_is_called_the_users(judge):
    v = judge(body("if (i < n) y[i] = 2.0f * x[i] + 1.001f;"), compare={"y": {"rtol": 0.0, "atol": 0.01}})
    assert v.verdict == "tested"
    assert any("the user's tolerance" in g.detail for g in v.gates if g.gate == "values")


def test_what_would_pass_with_zeros_is_not_verified(judge):
    v = judge(SOURCE, compare={"y": {"rtol": 0.0, "atol": 100.0}})
    assert (v.verdict, v.refuted) == ("unknown", None)
    assert "y: zeros" in v.reason


def test_sorted_outputs_may_come_in_any_order(judge):
    reverse = body("if (i < n) y[n - 1 - i] = 2.0f * x[i] + 1.0f;")
    assert judge(reverse, compare={"y": "sorted"}).verdict == "tested"
    assert "values" in refuted(judge(body("if (i < n) y[i] = 2.0f * x[0] + 1.0f;"), compare={"y": "sorted"}))


def test_an_empty_grid_runs_nothing(judge):
    v = judge(SOURCE, sizes=(100, 0))
    assert v.verdict == "tested"
    assert any(g.gate == "values" and g.size == {"n": 0} and g.detail == "y: empty" for g in v.gates)


def test_stops_early_where_asked(judge):
    v = judge(body("if (i < n) y[i] = 0.0f;"), sizes=(100, 50, 25), stop_early=True)
    assert v.gates[-1].verdict == "refuted"
    assert len({tuple(g.size.items()) for g in v.gates if g.size}) == 1


# gates on results made by hand


@pytest.fixture
def kernel():
    return Kernel(source="k.cl", entry="k", sizes={"n": [4]}, args=ARGS, launch={"grid": 1, "block": 4})


def result(**buffers: Any) -> RunResult:
    return RunResult({k: np.asarray(v, np.float32) for k, v in buffers.items()})


def of(values: Any, bounds: Any, **more: Any) -> Expectation:
    return Expectation({"y": Expected(np.asarray(values, np.float64), np.asarray(bounds, np.float64), "", **more)})


def test_order_dependence_is_allowed_for_float_atomics_within_the_bound(kernel):
    a, b = result(y=[1, 2]), result(y=[1, np.nextafter(np.float32(2), np.float32(3))])

    def verdict(order_dependent: set[str], bound: float) -> str:
        return gates.gate_deterministic(
            kernel, a, [a], [b], of([1, 2], bound * np.ones(2)), order_dependent=order_dependent, emulated=False
        ).verdict

    assert [verdict({"y"}, 1e-6), verdict({"y"}, 1e-9), verdict(set(), 1e-6)] == ["tested", "refuted", "refuted"]
    assert verdict({"x"}, 1e-6) == "refuted"  # float atomics on another buffer are no excuse


@pytest.mark.parametrize("loose", [{"bounds": [0, np.inf]}, {"bounds": [0, 0], "open": np.array([False, True])}])
def test_what_another_order_may_overflow_in_is_left_open(kernel, loose):
    def said(*runs: Any) -> str:
        first, *rest = (result(y=r) for r in runs)
        expected = of([1, 2], **loose)
        return gates.gate_deterministic(kernel, first, [], rest, expected, order_dependent={"y"}, emulated=True).verdict

    assert said([1, 2], [1, np.inf]) == "unknown"
    assert said([1, 2], [3, 2]) == said([1, 2], [3, np.inf]) == "refuted"


@pytest.mark.parametrize(("seed", "n", "kind"), [(0, 1021, "largest"), (0, 193, "infinity")])
def test_a_shared_sum_of_floats_is_not_refuted_for_its_order(seed, n, kind):
    h100 = load_machine("h100")
    source = read_kernel(Kernel.load(KERNELS / "atomics/shared_float_sum.kernel.toml"))
    [port] = translate(source, h100, h100)
    oracle = Oracle(source.kernel, source.program, h100, seed)
    launch = source.kernel.launch({"n": n}, source.constants)
    found = verify_with(
        InProcess("emulator", port.text, h100), oracle, [Case({"n": n}, launch, launch, kinds=(kind,))], h100, "cuda",
        "emulator",
    )  # fmt: skip
    assert not refuted(found)
    assert "float atomics" in next(g.detail for g in found.gates if g.gate == "deterministic")


def test_what_differs_only_with_the_poison_is_said_so(kernel):
    said = gates.gate_deterministic(
        kernel, result(y=[1]), [result(y=[2])], [result(y=[1])], of([1], [0]), order_dependent=set(), emulated=True
    )
    assert "what the outputs held before" in said.detail


def test_written_needs_both_poisons_left(kernel):
    fills = [poisoned(kernel.args["y"].scalar, 4, p) for p in POISONS]
    a, b = RunResult({"y": fills[0]}), RunResult({"y": fills[1].copy()})
    assert gates.gate_written(kernel, a, b, POISONS).verdict == "refuted"
    b.buffers["y"] = fills[0]
    assert gates.gate_written(kernel, a, b, POISONS).verdict == "tested"


def test_many_findings_are_counted():
    r = RunResult({}, findings=[Finding("race", f"number {i}") for i in range(9)])
    assert gates.gate_findings([r]).detail.endswith("and 6 more")


def test_a_runtime_without_guards_says_unknown():
    r = RunResult({}, guards_checked=False)
    assert gates.gate_guards([r], emulated=False).verdict == "unknown"


def test_power_tells_what_a_size_cannot_reject(kernel):
    inputs = Inputs({"x": np.array([1, 2, 3, 4], np.float32)}, {"n": 4})
    assert arguments(kernel, {"n": 4}, inputs)["n"] == 4
    values = np.array([1.0, 2.0, 3.0, 4.0])

    def power(v: Any, bound: float) -> gates.Power:
        return gates.power(kernel, Expectation({"y": Expected(np.array(v), np.full(4, bound), "")}), inputs)

    assert power(values + 0.001, 1e-6).said.verdict == "tested"
    assert power(values, 1e-6).right == {"y: copy of x"}
    assert power(values + 0.001, 10.0).accepted >= {"y: zeros", "y: constant mean", "y: copy of x"}
    assert power(np.zeros(4), 1e-6).said.verdict == "unknown"
    # a copy is tried where the sizes differ, too: the start of what is longer, and what is shorter again and again
    inputs = Inputs({"x": np.array([1, 2, 3, 4, 5], np.float32)}, {"n": 5})
    assert power(values + 0.001, 1e-6).rejected >= {"y: copy of x"}
    assert power(values, 1e-6).right == {"y: copy of x"}
    inputs = Inputs({"x": np.array([1, 2], np.float32)}, {"n": 2})
    assert power([1.0, 2.0, 1.0, 2.0], 1e-6).right == {"y: copy of x"}


@pytest.mark.parametrize("seed", [0, 1])
def test_an_input_that_is_right_for_one_key_is_rejected_for_several(seed):
    """Attention over one key gives the value itself, on some inputs a NaN."""
    h100 = load_machine("h100")
    source = read_kernel(Kernel.load(KERNELS / "attention/decode_attention.kernel.toml"))
    [port] = translate(source, h100, h100)
    oracle = Oracle(source.kernel, source.program, h100, seed)
    cases = [
        Case(size, launch, launch, kinds=kinds)
        for size, kinds in (
            ({"heads": 3, "tokens": 50, "head_dim": 16}, ("normal",)),
            ({"heads": 3, "tokens": 1, "head_dim": 4}, ("normal", "nan", "infinity")),
        )
        for launch in [source.kernel.launch(size, source.constants)]
    ]
    found = verify_with(InProcess("emulator", port.text, h100), oracle, cases, h100, "cuda", "emulator")
    assert found.verdict == "tested", found.reason


def test_an_infinity_is_compared_beside_a_reference(judge):
    cut = SOURCE.replace("y[i] = 2.0f * x[i] + 1.0f", "y[i] = fmax(fmin(2.0f * x[i] + 1.0f, MAXFLOAT), -MAXFLOAT)")
    assert refuted(judge(cut, kinds=("infinity",))) == {"values"}
    assert judge(SOURCE, kinds=("infinity",)).verdict == "tested"


def smaller_first(inputs: dict[str, Any]) -> Any:
    x = np.array(inputs["x"])
    whole = x[: x.size // 2 * 2].reshape(-1, 2)
    return np.concatenate([np.sort(whole, axis=1).ravel(), x[whole.size :]])


def test_a_comparison_that_the_destination_flushes_may_go_the_other_way(judge):
    body = "if (i % 2 == 0 && i + 1 < n) {{ bool swap = x[i] > x[i + 1]; y[i] = x[{0}]; y[i + 1] = x[{1}]; }}"
    odd = "if (i % 2 == 0 && i + 1 == n) y[i] = x[i];"

    def source(first: str, second: str) -> str:
        return f"{SIGNATURE} {{ int i = get_global_id(0); {body.format(first, second)} {odd} }}"

    right, wrong = source("swap ? i + 1 : i", "swap ? i : i + 1"), source("swap ? i : i + 1", "swap ? i + 1 : i")
    options: dict[str, Any] = {
        "source": right, "backend": "emulator", "reference": smaller_first, "compare": {"y": "exact"},
        "kinds": ("subnormal",), "sizes": (301,), "dst": load_machine("m4"),
    }  # fmt: skip
    assert not refuted(judge(right, **options))
    assert "values" in refuted(judge(wrong, **options))
    # M4 makes zeros of subnormals; a machine that keeps them has no such excuse
    unswapped = source("(x[i] + 0.0f > x[i + 1] + 0.0f && fabs(x[i]) > 1e-37f) ? i + 1 : i", "i + 1")
    assert "values" in refuted(judge(unswapped, **{**options, "dst": load_machine("arc-b580")}))


def test_the_order_of_zeros_of_both_signs_is_the_source_s(judge):
    def source(equal: str) -> str:
        body = f"float a = x[i], b = x[i + 1]; y[i] = a < b || {equal} ? a : b; y[i + 1] = a < b || {equal} ? b : a;"
        odd = "if (i % 2 == 0 && i + 1 == n) y[i] = x[i];"
        return f"{SIGNATURE} {{ int i = get_global_id(0); if (i % 2 == 0 && i + 1 < n) {{ {body} }} {odd} }}"

    options: dict[str, Any] = {
        "backend": "emulator", "reference": smaller_first, "compare": {"y": "exact"}, "kinds": ("zeros",), "sizes": (301,),
    }  # fmt: skip
    # NumPy keeps the order of equal numbers, this source swaps them: the port must, too
    assert not refuted(judge(source("false"), source=source("false"), **options))
    assert "values" in refuted(judge(source("a == b"), source=source("false"), **options))
