from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from gpuport.ir.nodes import Param
from gpuport.ir.types import F32, I32, Pointer, Space
from gpuport.porting.spec import ExpressionError, Kernel, SpecError, parse_expression
from hypothesis import given
from hypothesis import strategies as st

GOOD = """
[kernel]
source = "k.cu"
entry = "k<16>"
defines = { BLOCK = "64" }
[sizes]
n = [8, 1, 3]
m = [4, 2]
[args]
x = { dtype = "f32", shape = ["n", "m"], role = "in" }
y = { dtype = "f32", shape = ["n"], role = "out" }
n = { dtype = "i32", value = "n" }
[launch]
grid = ["cdiv(n, BLOCK)", 1, 1]
block = ["BLOCK", "T", 1]
"""


def load(tmp_path, text: str = GOOD) -> Kernel:
    (tmp_path / "k.cu").write_text("")
    (tmp_path / "k.kernel.toml").write_text(text)
    return Kernel.load(tmp_path / "k.kernel.toml")


def test_loads_by_spec_and_by_source(tmp_path):
    kernel = load(tmp_path)
    assert Kernel.load(tmp_path / "k.cu").model == kernel.model
    assert kernel.name == "k"
    assert kernel.shape("x", {"n": 3, "m": 2}) == (3, 2)
    launch = kernel.launch({"n": 100, "m": 1}, {"T": 4})
    assert (launch.grid, launch.block, launch.shared_bytes) == ((2, 1, 1), (64, 4, 1), 0)


def test_constants_of_a_port_take_the_place_of_defines(tmp_path):
    assert load(tmp_path).launch({"n": 100, "m": 1}, {"T": 4, "BLOCK": 32}).grid == (4, 1, 1)


def test_sizes_side_by_side_use_every_value(tmp_path):
    sets = load(tmp_path).size_sets()
    assert sets == [{"n": 8, "m": 4}, {"n": 1, "m": 2}, {"n": 3, "m": 4}]


@pytest.mark.parametrize(
    ("old", "new", "key", "said"),
    [
        ('entry = "k<16>"', 'entri = "k<16>"', "kernel.entri", "did you mean 'entry'"),
        ("[launch]", "[lanch]", "lanch", "did you mean 'launch'"),
        ('role = "out"', 'role = "output"', "args.y.role", "'output'"),
        ('dtype = "i32"', 'dtype = "int32"', "args.n.dtype", "unknown dtype 'int32'"),
        ('shape = ["n"], role', 'shape = ["nn"], role', "args.y", "'nn'"),
        ('shape = ["n"], role', 'shapes = ["n"], role', "args.y.shapes", "did you mean 'shape'"),
        ("n = [8, 1, 3]", "n = []", "sizes", "at least one size"),
        ("n = [8, 1, 3]", "n = [-1]", "sizes.n", "greater than or equal to 0"),
        ("cdiv(n, BLOCK)", "n / BLOCK", "launch.grid", "use // or cdiv"),
        ("cdiv(n, BLOCK)", "__import__('os')", "launch.grid", "expected an expression"),
        ('value = "n"', "value = 1.5", "args.n", "1.5"),
        ('source = "k.cu"', 'source = "none.cu"', "kernel.source", "no such file"),
        ('"f32", shape = ["n"], role = "out"', '"f32"', "args.y", "shape and role"),
    ],
)
def test_each_fault_is_one_line_that_names_its_key(tmp_path, old, new, key, said):
    assert old in GOOD
    with pytest.raises(SpecError) as caught:
        load(tmp_path, GOOD.replace(old, new))
    line = str(caught.value).split("\n")[0]
    assert line.startswith(f"{tmp_path / 'k.kernel.toml'}: {key}")
    assert said in str(caught.value)


def test_all_faults_are_told_at_once(tmp_path):
    with pytest.raises(SpecError) as caught:
        load(tmp_path, GOOD.replace('role = "out"', 'role = "o"').replace('"i32"', '"int"'))
    assert len(str(caught.value).split("\n")) == 2


def test_missing_files_and_bad_toml(tmp_path):
    with pytest.raises(SpecError, match=r"none\.cu: no such file"):
        Kernel.load(tmp_path / "none.cu")
    (tmp_path / "k.cu").write_text("")
    with pytest.raises(SpecError, match=r"expected .*k\.kernel\.toml"):
        Kernel.load(tmp_path / "k.cu")
    with pytest.raises(SpecError, match=r"k\.kernel\.toml: not TOML: .*line 1"):
        load(tmp_path, "[kernel\n")


def test_launches_that_make_no_sense(tmp_path):
    kernel = load(tmp_path)
    with pytest.raises(SpecError, match="unknown name 'T'"):
        kernel.launch({"n": 1, "m": 1}, {})
    with pytest.raises(SpecError, match=r"launch\.block: expected at least 1 thread"):
        kernel.launch({"n": 1, "m": 1}, {"T": 0})
    with pytest.raises(SpecError, match="division by zero"):
        kernel.launch({"n": 1, "m": 1}, {"T": 1, "BLOCK": 0})


POINTER = Pointer(F32, Space.GLOBAL)
PARAMS = [Param("x", Pointer(F32, Space.GLOBAL, const=True)), Param("y", POINTER), Param("n", I32)]


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ([*PARAMS[:2]], r"expected the kernel's parameters in order, \(x, y\), found \(x, y, n\)"),
        ([PARAMS[1], PARAMS[0], PARAMS[2]], r"\(y, x, n\), found \(x, y, n\)"),
        ([*PARAMS[:2], Param("n", F32)], r"args\.n\.dtype: expected f32, as in the kernel, found i32"),
        ([PARAMS[0], Param("y", I32), PARAMS[2]], r"args\.y: expected value for the scalar i32, found a buffer"),
        ([PARAMS[0], Param("y", Pointer(I32, Space.GLOBAL)), PARAMS[2]], r"args\.y\.dtype: expected i32"),
        ([PARAMS[0], Param("y", PARAMS[0].type), PARAMS[2]], r"args\.y\.role: expected 'in' for a pointer to const"),
        ([*PARAMS[:2], Param("n", POINTER)], r"args\.n: expected a buffer"),
    ],
)
def test_arguments_must_match_the_parameters(tmp_path, params, said):
    kernel = load(tmp_path)
    kernel.check_parameters(PARAMS)
    with pytest.raises(SpecError, match=said):
        kernel.check_parameters(params)


def test_made_in_python():
    def reference(inputs: dict[str, Any]) -> Any:
        return inputs["x"]

    kernel = Kernel(
        source="k.cu", entry="k", sizes={"n": 4}, reference=reference, launch={"grid": 1, "block": ["n"]},
        args={name: {"dtype": "f32", "shape": ["n"], "role": role} for name, role in (("x", "in"), ("y", "out"))},
    )  # fmt: skip
    assert kernel.model.reference.python is reference
    with pytest.raises(SpecError, match=r"Kernel\(\.\.\.\): args\.x\.dtype: unknown dtype"):
        Kernel(source="k.cu", entry="k", args={"x": {"dtype": "f31", "value": 1}}, launch={"grid": 1, "block": 1})


def names(n: int) -> Any:
    return st.sampled_from(["a", "b", "long_name"][:n])


expressions = st.recursive(
    st.integers(0, 1000).map(str) | names(3),
    lambda inner: (
        st.tuples(inner, st.sampled_from(["+", "-", "*", "//", "%"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})")
        | st.tuples(st.sampled_from(["min", "max", "cdiv"]), inner, inner).map(lambda t: f"{t[0]}({t[1]}, {t[2]})")
        | inner.map(lambda e: f"-{e}")
    ),
    max_leaves=12,
)


@given(expressions, st.tuples(*[st.integers(0, 100)] * 3))
def test_expressions_mean_what_python_means(text, values):
    scope = dict(zip(["a", "b", "long_name"], values, strict=True))
    parsed = parse_expression(text)
    plain = {**scope, "min": min, "max": max, "cdiv": lambda a, b: -(-a // b)}
    try:
        wanted = eval(text, {"__builtins__": {}}, plain)
    except ZeroDivisionError:
        with pytest.raises(ExpressionError, match="division by zero"):
            parsed.evaluate(scope)
        return
    assert parsed.evaluate(scope) == wanted
    assert eval(parsed.to_python(), {"__builtins__": {}, "min": min, "max": max}, scope) == wanted


@given(st.text(max_size=30))
def test_any_text_is_an_expression_or_a_clear_error(text):
    try:
        parsed = parse_expression(text)
    except ExpressionError:
        return
    assert parse_expression(parsed.to_python()).names <= parsed.names


@pytest.mark.parametrize(
    "text", ["", "a.b", "a[0]", "lambda: 0", "1.5", "True", "a if b else c", "f(1)", "min(1)", "2**9"]
)
def test_what_is_no_expression(text):
    with pytest.raises(ExpressionError):
        parse_expression(text)


def test_the_spec_loads_without_numpy():
    code = "import sys, gpuport.porting.spec.kernel; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
