from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from gpuport.ir.types import BF16, BOOL, F32, F64, I32, SCALARS, U8
from gpuport.porting.spec import Kernel
from gpuport.porting.spec.data import POISONS, arguments, decode, draw, encode, free_floats, poisoned
from gpuport.porting.spec.reference import ReferenceFailed, call_reference


def kernel(tmp_path, code: str, reference: dict[str, str] | None = None) -> Kernel:
    (tmp_path / "ref.py").write_text(code)
    return Kernel(
        source="k.cu", entry="k", sizes={"n": [4]}, launch={"grid": 1, "block": 1}, folder=tmp_path,
        reference=reference or {"python": "ref:f"},
        args={
            "x": {"dtype": "f32", "shape": ["n", 2], "role": "in"},
            "y": {"dtype": "f32", "shape": ["n"], "role": "out"},
            "count": {"dtype": "i32", "shape": [1], "role": "inout", "init": 5},
            "eps": {"dtype": "f32", "value": 0.1},
        },
    )  # fmt: skip


def call(k: Kernel):
    sizes = {"n": 4}
    return call_reference(k, sizes, draw(k, sizes, np.random.default_rng(0)))


def test_threads_take_turns(tmp_path):
    code = "import time, beside\ndef f(i):\n    time.sleep(0.002)\n    return i['x'].sum(axis=1) * beside.ONE, i['count']\n"
    (tmp_path / "beside.py").write_text("ONE = 1.0\n")
    k, stdout, path = kernel(tmp_path, code), sys.stdout, list(sys.path)
    with ThreadPoolExecutor(8) as pool:
        assert all(out is not None for out in pool.map(lambda _: call(k), range(64)))
    # of what belongs to the process nothing is left as another thread had it
    assert (sys.stdout, sys.path) == (stdout, path)
    assert "beside" not in sys.modules


@pytest.mark.parametrize(
    "returned",
    ["{'y': x.sum(axis=1), 'count': i['count'] + 1}", "(x.sum(axis=1), i['count'] + 1)", "[x.sum(axis=1), [6.0]]"],
)
def test_returns_by_name_or_in_order(tmp_path, returned):
    out = call(kernel(tmp_path, f"def f(i):\n    x = i['x']\n    assert x.dtype == 'f8'\n    return {returned}\n"))
    assert out is not None
    assert out["y"].shape == (4,)
    assert out["y"].dtype == np.float64
    np.testing.assert_array_equal(out["count"], np.array([6], np.int64))


def test_sees_the_scalar_that_the_kernel_sees(tmp_path):
    out = call(kernel(tmp_path, "import numpy as np\ndef f(i): return np.full(i['n'], i['eps']), i['count']\n"))
    assert out is not None
    assert out["y"][0] == np.float64(np.float32(0.1))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def f(i):\n    raise ValueError('no\\nway')\n", r"ref\.py:2: .*ref\.py: f raised ValueError: no way$"),
        ("def f(i):\n    return i['z']\n", r"ref\.py:2: .*raised KeyError: 'z'$"),
        ("def f(i):\n    import sys\n    sys.exit(3)\n", r"ref\.py:3: .*raised SystemExit: 3$"),
        ("def f(i:\n", r"ref\.py:1: .*raised SyntaxError"),
        ("import not_there\n", r"ref\.py:1: .*raised ModuleNotFoundError"),
        ("def g(i): pass\n", r"ref\.py has no function 'f'; it has g$"),
        ("def f(i): return i['count']\n", r"expected 2 outputs \(y, count\), found 1$"),
        ("def f(i): return {'y': 0, 'c': 0}\n", r"expected the outputs y, count, found y, c$"),
        ("def f(i): return i['x'], i['count']\n", r"output y: expected shape \(4,\), found \(4, 2\)$"),
        ("def f(i): return i['x'][:, 0], [1.5]\n", r"output count: expected integers for dtype i32"),
        ("def f(i): return ['a'] * 4, [1]\n", r"output y: expected numbers, found dtype"),
    ],
)
def test_faults_are_one_line(tmp_path, code, said):
    with pytest.raises(ReferenceFailed, match=said) as caught:
        call(kernel(tmp_path, code))
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_missing_module_is_named(tmp_path):
    with pytest.raises(ReferenceFailed, match=r"no such file: .*other\.py"):
        call(kernel(tmp_path, "", {"python": "other:f"}))


def test_leaves_no_trace(tmp_path, capsys):
    (tmp_path / "helper_beside.py").write_text("def zero(n): return [0.0] * n\n")
    before, path = set(sys.modules), list(sys.path)
    k = kernel(
        tmp_path, "import helper_beside\nprint('loud')\ndef f(i): return helper_beside.zero(i['n']), i['count']\n"
    )
    assert call(k) is not None
    assert sys.path == path
    assert "helper_beside" not in sys.modules
    assert not {m for m in set(sys.modules) - before if "gpuport_reference" in m}
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{'x': rng.random((s['n'], 2))}", None),
        ("{}", "expected the inputs x, found none"),
        ("{'x': 0, 'y': 0}", "expected the inputs x, found x, y"),
        ("{'x': rng.random(3)}", r"input x: expected shape \(4, 2\), found \(3,\)"),
        ("{'x': rng.random((4, 2)), 'count': [2**40]}", "input count: expected numbers that i32 holds"),
        ("5", "expected a dict with x, found int"),
    ],
)
def test_inputs_function(tmp_path, body, said):
    k = kernel(tmp_path, f"def g(rng, s): return {body}\n", {"inputs": "ref:g"})
    assert not free_floats(k)
    if said is None:
        assert draw(k, {"n": 4}, np.random.default_rng(0)).buffers["count"][0] == 5
    else:
        with pytest.raises(ReferenceFailed, match=said):
            draw(k, {"n": 4}, np.random.default_rng(0))


def test_exact_inputs_sum_exactly_in_any_order(tmp_path):
    k = Kernel(
        source="k.cu", entry="k", sizes={"n": [5000]}, launch={"grid": 1, "block": 1},
        args={"x": {"dtype": "f32", "shape": ["n"], "role": "in"}},
    )  # fmt: skip
    x = draw(k, {"n": 5000}, np.random.default_rng(1), "exact").buffers["x"]
    products = (x[:, None] * x[None, :4]).astype(np.float32)
    assert len(np.unique(x)) > 10
    np.testing.assert_array_equal(
        np.cumsum(products, axis=0, dtype=np.float32)[-1], products.sum(axis=0, dtype=np.float64)
    )


@pytest.mark.parametrize("scalar", list(SCALARS.values()), ids=str)
def test_poisons_differ_in_every_type(scalar):
    a, b = (poisoned(scalar, 3, p) for p in POISONS)
    assert a.shape == (3,)
    assert a.tobytes() != b.tobytes()
    assert a.nbytes == 3 * scalar.size


@pytest.mark.parametrize(
    ("scalar", "values"),
    [(BF16, [1.0, -0.5, 2.0**100]), (F32, [0.5]), (F64, [0.1]), (I32, [-7]), (U8, [255]), (BOOL, [1, 0])],
)
def test_memory_form_round_trips(scalar, values):
    np.testing.assert_array_equal(decode(encode(np.array(values), scalar), scalar), np.array(values))


def test_arguments_are_flat_and_poisoned(tmp_path):
    k = kernel(tmp_path, "")
    args = arguments(k, {"n": 4}, draw(k, {"n": 4}, np.random.default_rng(0)))
    assert args["x"].shape == (8,)
    assert args["y"].view(np.uint32).tolist() == [POISONS[0]] * 4
    assert args["count"].tolist() == [5]
    assert args["eps"] == float(np.float32(0.1))
