"""Kinds of inputs and made-up sizes: each finds what the usual inputs at the spec's sizes do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gpuport.backends.base import KernelText, TextParam
from gpuport.backends.emulator.backend import EmulatorBackend
from gpuport.backends.emulator.formats import LARGEST, SMALLEST_NORMAL
from gpuport.backends.isolate import Compiled, Done
from gpuport.backends.opencl.reader import read_opencl
from gpuport.backends.readers import read_text
from gpuport.hwmodels import load_machine
from gpuport.ir.types import BF16, F16, F32, F64, I8, U32, parse_dtype
from gpuport.porting.spec import Kernel, SpecError
from gpuport.porting.spec.generators import EXACT, OF_INTEGERS, PROBES, floats, integers
from gpuport.porting.translate import read_kernel
from gpuport.porting.verify import Oracle, Verification, cases_for, verify_with
from gpuport.porting.verify.sizes import COUNT, made_sizes, widths
from gpuport.porting.verify.verify import LABELS

CPU = load_machine("cpu")
EXAMPLES = Path(__file__).parents[3] / "examples"
SIGNATURE = "__kernel void k(__global const float* x, __global float* y, int n)"
PARAMS = (
    TextParam("x", "buffer", "f32", "in"), TextParam("y", "buffer", "f32", "out"), TextParam("n", "scalar", "i32"),
)  # fmt: skip
ARGS: dict[str, Any] = {
    "x": {"dtype": "f32", "shape": ["n"], "role": "in"},
    "y": {"dtype": "f32", "shape": ["n"], "role": "out"},
    "n": {"dtype": "i32", "value": "n"},
}


def body(line: str, bound: str = "n") -> str:
    return f"{SIGNATURE} {{\n  int i = get_global_id(0);\n  if (i < {bound}) y[i] = {line};\n}}"


TWICE = body("2.0f * x[i]")


class Emulated:
    """Runs a candidate in this process."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.calls = 0

    def compile(self) -> Compiled:
        self.kernel = EmulatorBackend(read_text).compile(KernelText("opencl", "k", self.text, PARAMS), CPU)
        return Compiled(0.0)

    def run(self, launch: Any, args: Any, guard_bytes: int = 0, *, order_seed: int | None = None) -> Done:
        self.calls += 1
        return Done(self.kernel.run(launch, args, order_seed=order_seed))


class Remembers(Emulated):
    """A device on which a kernel keeps something: what it gives depends on the run before."""

    def run(self, launch: Any, args: Any, guard_bytes: int = 0, *, order_seed: int | None = None) -> Done:
        done = super().run(launch, args, guard_bytes, order_seed=order_seed)
        if self.calls == 4:  # the first after the run on other inputs
            done.result.buffers["y"][0] *= np.float32(1 + 2.0**-20)
        return done


@pytest.fixture
def oracle_of(tmp_path):
    def make(source: str = TWICE, *, sizes: Any = (100,), verify: Any = None, **reference: Any) -> Oracle:
        (tmp_path / "k.cl").write_text(source)
        kernel = Kernel(
            source="k.cl", entry="k", sizes={"n": list(sizes)}, args=ARGS, folder=tmp_path,
            launch={"grid": ["cdiv(n, 32)"], "block": [32]}, reference=reference, verify=verify,
        )  # fmt: skip
        program, _ = read_opencl(tmp_path / "k.cl", "k")
        return Oracle(kernel, program, CPU, 4711)

    return make


def judged(oracle: Oracle, candidate: str, runner: type[Emulated] = Emulated, backend: str = "emulator"):
    return verify_with(runner(candidate), oracle, cases_for(oracle, {}, {}), CPU, "opencl", backend)


def where_refuted(v: Verification) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for g in v.gates:
        if g.verdict == "refuted":
            found.setdefault(g.inputs, set()).add(g.gate)
    return found


def test_the_source_passes_on_everything(oracle_of):
    v = judged(oracle_of(), TWICE)
    assert (v.verdict, v.reason) == ("tested", "")
    tried = {g.inputs for g in v.gates if g.gate == "values" and g.verdict == "tested"}
    # this kernel has no integers, and of the largest number twice nothing can be said
    assert tried == {LABELS.get(k, k) for k in ("normal", "exact", *PROBES)} - OF_INTEGERS - {"largest"}
    assert "signed zeros" in {g.gate for g in v.gates}


def test_the_signs_of_zeros_that_the_spec_s_own_inputs_hold_are_judged(oracle_of):
    def given(rng, sizes):
        return {"x": np.where(np.arange(sizes["n"]) % 5 == 2, -0.0, rng.standard_normal(sizes["n"]))}

    assert judged(oracle_of(inputs=given), TWICE).verdict == "tested"
    lost = judged(oracle_of(inputs=given), body("x[i] == 0.0f ? 0.0f : 2.0f * x[i]"))
    assert {g.gate for g in lost.gates if g.verdict == "refuted"} == {"signed zeros"}


@pytest.mark.parametrize("line", ["2.0f * x[n - 1 - i]", "x[i] == 0.0f ? 0.0f : 2.0f * x[i]"])
def test_the_signs_of_zeros_are_judged_wherever_they_lie_in_an_output_without_order(oracle_of, line):
    def given(rng, sizes):
        return {"x": np.where(np.arange(sizes["n"]) % 5 == 2, -0.0, rng.integers(0, 3, sizes["n"]))}

    v = judged(oracle_of(inputs=given, compare={"y": "sorted"}), body(line))
    assert {g.gate for g in v.gates if g.verdict == "refuted"} == (set() if "n - 1" in line else {"signed zeros"})


@pytest.mark.parametrize(
    ("line", "kinds", "gate"),
    [
        ("isnan(x[i]) ? 0.0f : 2.0f * x[i]", {"nan"}, "values"),
        ("x[i] == INFINITY ? 3.402823466e+38f : 2.0f * x[i]", {"infinity"}, "values"),
        ("x[i] == 0.0f ? 0.0f : 2.0f * x[i]", {"zeros"}, "signed zeros"),
        ("fabs(x[i]) < 1.17549435e-38f ? 0.0f : 2.0f * x[i]", {"subnormal", "tiny"}, "values"),
        ("fmin(2.0f * x[i], 1e15f)", {"huge", "infinity", "largest"}, "values"),
        ("fabs(x[i]) > 80.0f && fabs(x[i]) < 88.8f ? 160.0f : 2.0f * x[i]", {"range"}, "values"),
        ("x[i] == (float)i && i > 20 ? 2.0f * x[i] + 1.0f : 2.0f * x[i]", {"ids"}, "values"),
        ("n > 9 && x[0] == x[1] && x[1] == x[2] && x[2] == x[9] ? 0.0f : 2.0f * x[i]", {"constant"}, "values"),
        ("x[i] >= 60000.0f && x[i] == rint(x[i]) && x[i] < 1e9f ? x[i] * 2.0f + 2.0f : 2.0f * x[i]",
         {"large integers"}, "exact"),
    ],
)  # fmt: skip
def test_each_kind_finds_what_the_usual_inputs_do_not(oracle_of, line, kinds, gate):
    v = judged(oracle_of(), body(line))
    found = where_refuted(v)
    assert v.verdict == "refuted"
    assert kinds & found.keys() and not {"normal", "integers"} & found.keys(), found  # noqa: PT018
    assert any(gate in gates for gates in found.values()), found


def test_a_reference_need_not_cover_special_numbers(oracle_of):
    def reference(inputs: Any) -> Any:
        if not np.isfinite(inputs["x"]).all():
            raise ValueError("numbers, please")
        return np.clip(2 * inputs["x"], -1e6, 1e6)

    oracle = oracle_of(python=reference)
    assert judged(oracle, TWICE).verdict == "tested"
    v = judged(oracle, body("fmax(2.0f * x[i], -1e30f)"))
    assert v.verdict == "refuted", v.reason


def test_a_kernel_that_fails_on_special_numbers_is_not_tried_on_them(oracle_of):
    source = body("x[isnan(x[i]) ? n : i]")
    v = judged(oracle_of(source), source)
    assert v.verdict == "tested"
    [left] = [g for g in v.gates if g.inputs == "nan" and g.verdict == "unknown"]
    assert left.detail.startswith("these inputs are left out, the source itself fails: out-of-bounds")


def test_there_are_no_probes_beside_made_inputs_or_a_tolerance(oracle_of):
    assert oracle_of(compare={"y": {"rtol": 0.1}}).probes() == ()
    assert oracle_of(inputs=lambda rng, sizes: {"x": rng.random(sizes["n"])}).probes() == ()


def test_made_up_sizes_find_what_the_spec_leaves_out(oracle_of):
    oracle = oracle_of(sizes=(128, 64))
    v = judged(oracle, body("2.0f * x[i]", "n / 2 * 2"))
    assert v.verdict == "refuted"
    assert {g.size["n"] % 2 for g in v.gates if g.verdict == "refuted"} == {1}
    assert (
        judged(oracle_of(sizes=(128, 64), verify={"generate": []}), body("2.0f * x[i]", "n / 2 * 2")).verdict
        == "tested"
    )


def test_a_size_that_the_source_does_not_allow_is_left_out(oracle_of):
    source = f"{SIGNATURE} {{ int i = get_global_id(0); y[i] = 2.0f * x[i]; }}"  # multiples of 32 only
    v = judged(oracle_of(source, sizes=(64, 32)), source)
    assert v.verdict == "tested"
    left = [g for g in v.gates if "this size is left out, the source itself fails: out-of-bounds" in g.detail]
    assert left
    assert all(g.size["n"] % 32 and g.verdict == "unknown" for g in left)


def test_a_made_size_at_which_the_inputs_function_fails_once_is_left_out(oracle_of):
    drawn: set[int] = set()

    def inputs(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, Any]:
        if sizes["n"] % 32 and sizes["n"] in drawn:  # the second time, for the run between two runs
            raise ValueError("not today")
        drawn.add(sizes["n"])
        return {"x": rng.random(sizes["n"], np.float32)}

    v = judged(oracle_of(sizes=(64, 32), inputs=inputs), TWICE, backend="opencl")
    assert v.verdict == "tested"
    assert any("this size is left out" in g.detail and "not today" in g.detail for g in v.gates)


def test_made_up_sizes_surround_the_tiles(oracle_of):
    oracle = oracle_of()
    tiles = widths(oracle.program, [oracle.kernel.launch({"n": 100}, {})])
    assert tiles == [32]
    found = {s["n"] for seed in range(6) for s in made_sizes(oracle.kernel, tiles, {}, np.random.default_rng(seed))}
    assert found >= {0, 2, 31, 32, 33, 63, 65}
    assert len(made_sizes(oracle.kernel, tiles, {}, np.random.default_rng(0))) == COUNT


def test_the_end_of_the_grid_is_passed(tmp_path):
    (tmp_path / "k.cl").write_text(TWICE)
    kernel = Kernel(
        source="k.cl", entry="k", sizes={"n": [100]}, args=ARGS, folder=tmp_path,
        launch={"grid": ["min(cdiv(n, 32), 8)"], "block": [32]},
    )  # fmt: skip
    assert {"n": 257} in made_sizes(kernel, [32], {}, np.random.default_rng(0))


def test_the_spec_names_the_symbols(oracle_of):
    with pytest.raises(SpecError, match=r"verify\.generate: expected names of sizes \(n\), found 'm'"):
        oracle_of(verify={"generate": ["m"]})


def test_a_run_in_between_must_not_matter(oracle_of):
    oracle = oracle_of()
    ok = judged(oracle, TWICE, backend="opencl")
    assert {g.verdict for g in ok.gates if g.gate == "history"} == {"tested"}
    v = judged(oracle, TWICE, Remembers, backend="opencl")
    [found] = [g for g in v.gates if g.gate == "history" and g.verdict == "refuted"]
    assert found.detail == "1 elements of y differ after a run on other inputs, first [0]"


@pytest.mark.parametrize("scalar", [F16, BF16, F32, F64], ids=str)
@pytest.mark.parametrize("kind", ["normal", "exact", *PROBES])
def test_every_kind_fits_every_type_and_shape(kind, scalar):
    for shape in ((), (1,), (7,), (5, 3), (0, 4)):
        for first in (True, False):
            x = floats(kind, scalar, shape, np.random.default_rng(1), longest=7, first=first)
            assert x.shape == shape
            finite = x[np.isfinite(x)]
            assert (np.abs(finite) <= LARGEST[scalar]).all()
            if kind in EXACT:
                assert (x == np.rint(x * 2.0**60) / 2.0**60).all()


def test_what_the_kinds_hold():
    rng = np.random.default_rng(5)

    def make(kind: Any, shape: Any = (8, 16), first: bool = False) -> np.ndarray:
        return floats(kind, F32, shape, rng, longest=16, first=first)

    hot = make("one_hot")
    assert ((hot != 0).sum(axis=0) == 1).all()
    assert hot[-1].any()
    full = make("one_hot", first=True)
    assert (np.abs(np.frexp(full)[0] * 2**24) % 2 == 1).all()
    big = make("big_int", first=True)
    assert 2**23 < big[0].sum() <= 2**24
    assert make("ids").reshape(-1).tolist() == list(range(128))
    assert np.unique(make("constant")).size == 1
    assert np.isnan(make("nan")).reshape(-1)[[0, -1]].all()
    assert {np.inf, -np.inf} <= set(make("infinity").reshape(-1).tolist())
    zeros = make("zeros").reshape(-1)
    assert {bool(s) for s in np.signbit(zeros[zeros == 0])} == {True, False}
    assert (np.abs(make("tiny")) < 4 * SMALLEST_NORMAL[F32]).all()
    assert np.abs(make("wide")).max() > 10
    ordered = make("ordered")
    assert (np.diff(ordered, axis=1) <= 0).all()
    assert (ordered == ordered[0]).all()
    whole = integers("whole", parse_dtype("i64"), (999,), rng)  # pyright: ignore[reportArgumentType]
    assert whole.min() < -(2**61) and whole.max() > 2**61  # noqa: PT018
    assert set(integers("edges", U32, (999,), rng).tolist()) == {0, 1, 2**32 - 2, 2**32 - 1}
    assert {-128, 127, -1} <= set(integers("edges", I8, (999,), rng).tolist())
    assert integers("ids", parse_dtype("u8"), (300,), rng)[256] == 0  # pyright: ignore[reportArgumentType]
    assert integers("constant", U32, (9,), rng).std() == 0
    assert integers("normal", I8, (1000,), rng).max() <= 127


def test_languages_share_a_run_of_the_source_where_their_accuracy_is_the_same(oracle_of):
    def runs(source: str) -> dict[str, Any]:
        oracle = oracle_of(source)
        [case] = oracle.kernel.size_sets()
        launch = oracle.kernel.launch(case, {})
        return {name: oracle.expect(case, launch, "normal", CPU, name) for name in ("opencl", "metal", "cuda", "hip")}

    sums = runs(TWICE)
    assert all(e is sums["cuda"] for e in sums.values())
    divided = runs(TWICE.replace("2.0f * x[i]", "x[i] / 3.0f"))
    assert divided["hip"] is divided["cuda"] is divided["metal"] is not divided["opencl"]
    assert divided["opencl"].outputs["y"].bounds.max() > divided["cuda"].outputs["y"].bounds.max()
    rooted = runs(TWICE.replace("2.0f * x[i]", "exp(x[i])"))
    assert len({id(e) for e in rooted.values()}) == 3  # OpenCL's and HIP's are the same
    native = runs(TWICE.replace("2.0f * x[i]", "native_exp(x[i])"))
    assert all(np.array_equal(e.outputs["y"].values, native["cuda"].outputs["y"].values) for e in native.values())


def sizes_of(kind: str, spec: str, symbol: str) -> list[int]:
    """The sizes at which a kernel of examples/ is tried on a kind of inputs."""
    source = read_kernel(Kernel.load(EXAMPLES / f"{spec}.kernel.toml"))
    oracle = Oracle(source.kernel, source.program, CPU, 5)
    found = [c.sizes for c in cases_for(oracle, source.constants, source.constants) if kind in c.kinds]
    return [min(s.values()) if symbol == "least" else s[symbol] for s in found]


def test_infinities_are_tried_where_they_leave_rows_and_columns_without_any():
    assert min(sizes_of("infinity", "sgemm/sgemm", "least")) >= 8


def test_big_integers_are_tried_where_rows_divide_into_vectors_too():
    widths_ = sizes_of("big_int", "softmax/softmax", "cols")
    assert any(n % 4 == 0 for n in widths_)


def test_huge_numbers_are_tried_on_the_longest_rows():
    assert max(sizes_of("huge", "softmax/softmax", "cols")) >= 509


def test_a_size_at_which_the_source_leaves_outputs_unwritten_is_left_out(oracle_of):
    source = body("2.0f * x[i]", "n / 32 * 32")  # whole tiles only, as the sizes of the spec are
    v = judged(oracle_of(source, sizes=(64, 32)), source)
    assert v.verdict == "tested"
    left = [g for g in v.gates if g.detail.startswith("this size is left out, the source itself leaves")]
    assert left
    assert all(g.size["n"] % 32 and g.verdict == "unknown" for g in left)
    assert judged(oracle_of(sizes=(64, 32)), source).verdict == "refuted"  # a source that writes them all


@pytest.mark.parametrize(("bound", "found"), [("16", ["shuffle"]), ("4", [])])
def test_a_source_that_uses_what_an_absent_lane_gives_verifies_nothing(tmp_path, bound, found):
    source = tmp_path / "k.cu"
    source.write_text(
        "__global__ void k(const float* x, float* y, int n) {\n"
        "  int i = threadIdx.x;\n"
        "  float v = x[i];\n"
        "  unsigned some = __ballot_sync(~0u, i < 8);\n"
        f"  if (i < 8) for (int k = {bound}; k > 0; k /= 2) v += __shfl_down_sync(some, v, k);\n"
        "  if (i == 0) y[0] = v;\n}\n"
    )
    args = {**ARGS, "y": {"dtype": "f32", "shape": [1], "role": "out"}}
    kernel = Kernel(
        source="k.cu", entry="k", sizes={"n": [32]}, args=args, folder=tmp_path, launch={"grid": [1], "block": [32]}
    )
    program = read_kernel(kernel).program
    expectation = Oracle(kernel, program, load_machine("h100"), 4711).expect(
        {"n": 32}, kernel.launch({"n": 32}, {}), "normal", load_machine("m4"), "metal"
    )
    assert [f.kind for f in expectation.source_findings] == found


def test_a_nan_of_the_sources_own_roundings_refutes_no_port(oracle_of):
    # a variance of one number: 0, or what the fused product lost, of either sign
    source = body("x[i] - x[i] + rsqrt(x[i] * x[i] - x[i] * x[i] + 1e-9f)")
    oracle = oracle_of(source)
    v = judged(oracle, source)
    assert v.refuted is None, v.reason
    assert any("no finite bound" in g.detail for g in v.gates if g.gate == "values")
    assert "values" in {
        gate for found in where_refuted(judged(oracle, body("x[i] / 0.0f * 0.0f"))).values() for gate in found
    }
