"""The expression printer: random IR expressions, printed and compiled, against C's rules in Python."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest
from gpuport.backends.base import Launch
from gpuport.backends.clike.literals import literal, shortest
from gpuport.backends.clike.plan import WritePlan
from gpuport.backends.metal.dialect import METAL
from gpuport.backends.opencl.dialect import OPENCL
from gpuport.hwmodels import load_machine
from gpuport.ir import nodes as n
from gpuport.ir.types import BOOL, F16, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64, Pointer, Scalar, Space
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

INTS = (I8, I16, I32, I64, U8, U16, U32, U64)
TYPES = (BOOL, *INTS, F32)
LOCAL, GROUPS, PER_KERNEL = 4, 2, 12
COMPARE = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
ARITHMETIC = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
}
VALUES = {
    t.name: v
    for t, v in zip(TYPES, (True, -7, 300, -70000, 1 << 40, 200, 50000, 3000000000, 1 << 63, 2.5), strict=True)
}


class UndefinedError(Exception):
    """C leaves the value open."""


def convert(value: Any, t: Scalar) -> Any:
    if t == BOOL:
        return bool(value)
    if t == F32:
        return (
            np.float32(np.uint64(value) if value >= 1 << 63 else np.int64(value)) if isinstance(value, int) else value
        )
    if isinstance(value, np.floating):
        low, high = (-(1 << (t.bits - 1)), (1 << (t.bits - 1)) - 1) if t.signed else (0, (1 << t.bits) - 1)
        if not np.isfinite(value) or not low <= int(value) <= high:
            raise UndefinedError
        return int(value)
    wrapped = int(value) & ((1 << t.bits) - 1)
    return wrapped - (1 << t.bits) if t.signed and wrapped >> (t.bits - 1) else wrapped


def fits(value: int, t: Scalar) -> int:
    wrapped = convert(value, t)
    # an overflow of a signed type of int's width or more is undefined in C; what is narrower is converted back
    if t.signed and t.bits >= 32 and wrapped != value:
        raise UndefinedError
    return wrapped


def evaluate(e: n.Expr, thread: dict[str, int]) -> Any:
    """The value of an expression by the IR's rules; both sides of && and ?: must be defined."""
    match e:
        case n.Const():
            return np.float32(e.value) if e.type == F32 else e.value
        case n.Var():
            return convert(VALUES[e.type.name], e.type) if e.type != F32 else np.float32(VALUES["f32"])
        case n.GridIndex():
            return thread[e.kind.value]
        case n.Convert():
            return convert(evaluate(e.value, thread), e.type)
        case n.Unary():
            value = evaluate(e.value, thread)
            if e.op == "!":
                return not value
            if e.type == F32:
                return -value
            return fits(-value if e.op == "-" else ~value, e.type)
        case n.Select():
            then, other = evaluate(e.then, thread), evaluate(e.other, thread)
            return then if evaluate(e.cond, thread) else other
        case n.Binary():
            return binary(e, evaluate(e.left, thread), evaluate(e.right, thread))
        case _:
            raise AssertionError(e)


def binary(e: n.Binary, a: Any, b: Any) -> Any:
    t = e.left.type
    assert isinstance(t, Scalar)
    if e.op in ("&&", "||"):
        return (a and b) if e.op == "&&" else (a or b)
    if e.op in COMPARE:
        return bool(COMPARE[e.op](a, b))
    if t == F32:
        with np.errstate(all="ignore"):
            return np.float32(ARITHMETIC[e.op](a, b))
    if e.op in ("/", "%"):
        if b == 0:
            raise UndefinedError
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return fits(quotient if e.op == "/" else a - b * quotient, t)
    if e.op == "<<":
        if a < 0:
            raise UndefinedError
        return fits(a << b, t)
    return fits(a >> b if e.op == ">>" else ARITHMETIC[e.op](a, b), t)


def leaf(t: Scalar) -> st.SearchStrategy[n.Expr]:
    variable = st.just(n.Var(f"v_{t}", t))
    if t == BOOL:
        return st.one_of(variable, st.booleans().map(lambda v: n.Const(v, BOOL)))
    if t == F32:
        number = st.integers(-64, 64).map(lambda v: n.Const(v / 4, F32))
        return st.one_of(variable, number)
    low, high = (-(1 << (t.bits - 1)), (1 << (t.bits - 1)) - 1) if t.signed else (0, (1 << t.bits) - 1)
    const = st.one_of(st.integers(max(-9, low), 9), st.sampled_from((low, high))).map(lambda v: n.Const(v, t))
    grid = [n.GridIndex(k) for k in (n.Grid.THREAD, n.Grid.GROUP, n.Grid.GROUP_SIZE)]
    return st.one_of(variable, const, *([st.sampled_from(grid)] if t == U32 else []))


@st.composite
def expressions(draw: st.DrawFn, t: Scalar, depth: int) -> n.Expr:
    if depth == 0:
        return draw(leaf(t))
    sub = lambda s: draw(expressions(s, depth - 1))  # noqa: E731
    kinds = [
        "leaf",
        "convert",
        "select",
        *(["compare", "logic", "not"] if t == BOOL else ["binary", "binary", "minus"]),
    ]
    match draw(st.sampled_from(kinds)):
        case "convert":
            source = draw(st.sampled_from([s for s in TYPES if s != t]))
            return n.Convert(sub(source), t, implicit=draw(st.booleans()))
        case "select":
            return n.Select(sub(BOOL), sub(t), sub(t), t)
        case "compare":
            s = draw(st.sampled_from((*INTS, F32)))
            return n.Binary(draw(st.sampled_from(list(COMPARE))), sub(s), sub(s), BOOL)
        case "logic":
            return n.Binary(draw(st.sampled_from(("&&", "||"))), sub(BOOL), sub(BOOL), BOOL)
        case "not":
            return n.Unary("!", sub(BOOL), BOOL)
        case "minus":
            return n.Unary("-" if t == F32 else draw(st.sampled_from("-~")), sub(t), t)
        case "binary" if t == F32:
            return n.Binary(draw(st.sampled_from("+-*")), sub(t), sub(t), t)
        case "binary":
            op = draw(st.sampled_from([*ARITHMETIC, "/", "%", "<<", ">>"]))
            if op in ("<<", ">>"):
                return n.Binary(op, sub(t), n.Const(draw(st.integers(0, t.bits - 1)), I32), t)
            return n.Binary(op, sub(t), sub(t), t)
        case _:
            return draw(leaf(t))


def threads() -> list[dict[str, int]]:
    return [{"thread": t, "group": g, "group_size": LOCAL} for g in range(GROUPS) for t in range(LOCAL)]


def expected(e: n.Expr) -> list[Any] | None:
    """The value per thread, or None where C leaves one open."""
    try:
        return [evaluate(e, thread) for thread in threads()]
    except UndefinedError:
        return None


def program_of(cases: list[n.Expr]) -> n.Program:
    """A kernel that stores each expression, integers and bools as i64, floats as f32."""
    ints, floats = (Pointer(t, Space.GLOBAL) for t in (I64, F32))
    me = n.Binary(
        "+",
        n.Binary("*", n.GridIndex(n.Grid.GROUP), n.GridIndex(n.Grid.GROUP_SIZE), U32),
        n.GridIndex(n.Grid.THREAD),
        U32,
    )
    body: list[n.Stmt] = [n.Declare("me", I32, n.Convert(me, I32, implicit=True))]
    for i, e in enumerate(cases):
        at = n.Binary("+", n.Binary("*", n.Var("me", I32), n.Const(len(cases), I32), I32), n.Const(i, I32), I32)
        if e.type == F32:
            body.append(n.Assign(n.Element(n.Var("floats", floats), at, F32), e))
        else:
            value = e if e.type == I64 else n.Convert(e, I64, implicit=True)
            body.append(n.Assign(n.Element(n.Var("ints", ints), at, I64), value))
    params = [n.Param("ints", ints), n.Param("floats", floats), *(n.Param(f"v_{t}", t) for t in TYPES)]
    return n.Program(n.Function("cases", tuple(params), tuple(body)))


PLAN = WritePlan("cases", {"ints": "inout", "floats": "inout"}, (LOCAL, 1, 1))


@pytest.fixture(scope="module")
def context() -> Any:
    cl = pytest.importorskip("pyopencl", reason="needs PyOpenCL")
    from gpuport.hwmodels.probe.pocl import VARIABLE, name_cpu

    devices = [d for p in cl.get_platforms() for d in p.get_devices()]
    if not devices:
        pytest.skip("no OpenCL device")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, "auto")
        name_cpu(devices[0])
    return cl.Context(devices[:1])


def run_opencl(context: Any, source: str, options: tuple[str, ...], cases: int) -> tuple[np.ndarray, np.ndarray]:
    import pyopencl as cl
    import pyopencl.array as cla

    queue = cl.CommandQueue(context)
    ints, floats = (cla.zeros(queue, LOCAL * GROUPS * cases, t) for t in (np.int64, np.float32))
    kernel = cl.Kernel(cl.Program(context, source).build(options=list(options)), "cases")
    numpy = {
        "bool": np.uint8,
        **{str(t): np.dtype(f"{'' if t.signed else 'u'}int{t.bits}").type for t in INTS},
        "f32": np.float32,
    }
    kernel.set_args(ints.data, floats.data, *(numpy[str(t)](VALUES[t.name]) for t in TYPES))
    cl.enqueue_nd_range_kernel(queue, kernel, (LOCAL * GROUPS,), (LOCAL,))
    return ints.get().reshape(-1, cases), floats.get().reshape(-1, cases)


def check(cases: list[n.Expr], wanted: list[list[Any]], ints: np.ndarray, floats: np.ndarray, source: str) -> None:
    for i, (e, values) in enumerate(zip(cases, wanted, strict=True)):
        got = floats[:, i] if e.type == F32 else ints[:, i]
        want = np.array(values, np.float32) if e.type == F32 else [convert(int(v), I64) for v in values]
        np.testing.assert_array_equal(got, want, err_msg=f"case {i}: {e}\n{source}")


CASES = st.lists(st.sampled_from(TYPES).flatmap(lambda t: expressions(t, 3)), min_size=PER_KERNEL, max_size=PER_KERNEL)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases=CASES)
def test_printed_expressions_compute_what_the_ir_says(context: Any, cases: list[n.Expr]) -> None:
    from gpuport.backends.opencl.writer import write

    defined = [(e, want) for e in cases if (want := expected(e)) is not None]
    if not defined:
        return
    kept, wanted = [e for e, _ in defined], [w for _, w in defined]
    text = write(program_of(kept), load_machine("cpu"), PLAN)
    check(kept, wanted, *run_opencl(context, text.source, text.options, len(kept)), text.source)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases=CASES)
def test_metal_expressions_read_back_compute_what_the_ir_says(cases: list[n.Expr]) -> None:
    from gpuport.backends.emulator import emulate
    from gpuport.backends.metal.writer import write
    from gpuport.backends.readers import read_text

    defined = [(e, want) for e in cases if (want := expected(e)) is not None]
    if not defined:
        return
    kept, wanted = [e for e, _ in defined], [w for _, w in defined]
    machine = load_machine("m4")
    text = write(program_of(kept), machine, PLAN)
    size = LOCAL * GROUPS * len(kept)
    args = {"ints": np.zeros(size, np.int64), "floats": np.zeros(size, np.float32)}
    args |= {f"v_{t}": VALUES[t.name] for t in TYPES}
    roles = {"ints": "inout", "floats": "inout"}
    result = emulate(read_text(text), machine, Launch((GROUPS, 1, 1), (LOCAL, 1, 1)), args, roles=roles)
    ints, floats = (result.buffers[name].reshape(-1, len(kept)) for name in ("ints", "floats"))
    check(kept, wanted, ints, floats, text.source)


def var(name: str, t: Scalar = I32) -> n.Var:
    return n.Var(name, t)


def printed(e: n.Expr, t: Scalar | None = None) -> str:
    """What stands behind the `=` of an initialiser."""
    from gpuport.backends.opencl.writer import write

    declare = n.Declare("result", t or e.type, e)
    names = {x.name: x.type for x in n_walk(e) if isinstance(x, n.Var)}
    params = tuple(n.Param(name, type_) for name, type_ in names.items())
    text = write(n.Program(n.Function("k", params, (declare,))), load_machine("cpu"), WritePlan("k", {}))
    line = next(line for line in text.source.splitlines() if " result = " in line)
    return line.split(" = ", 1)[1].rstrip(";")


def n_walk(e: n.Expr) -> list[n.Node]:
    from gpuport.ir.walk import walk

    return list(walk(e))


A, B, C = var("a"), var("b"), var("c")


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (n.Binary("*", n.Binary("+", A, B, I32), C, I32), "(a + b) * c"),
        (n.Binary("+", n.Binary("*", A, B, I32), C, I32), "a * b + c"),
        (n.Binary("-", A, n.Binary("-", B, C, I32), I32), "a - (b - c)"),
        (n.Binary("-", A, n.Const(-1, I32), I32), "a - -1"),
        (n.Unary("-", n.Unary("-", A, I32), I32), "-(-a)"),
        (n.Unary("-", n.Const(-1, I32), I32), "-(-1)"),
        (n.Const(-(1 << 31), I32), "(-2147483647 - 1)"),
        (n.Binary("&", A, n.Binary("+", B, C, I32), I32), "a & (b + c)"),
        (n.Convert(n.GridIndex(n.Grid.THREAD), I32, implicit=True), "get_local_id(0)"),
        (n.Binary("<", A, n.Convert(n.GridIndex(n.Grid.THREAD), I32, implicit=True), BOOL), "a < (int)get_local_id(0)"),
        (n.Binary("==", n.GridIndex(n.Grid.THREAD), n.Const(0, U32), BOOL), "get_local_id(0) == 0u"),
        (n.Convert(n.Convert(A, U32, implicit=True), I64, implicit=True), "(uint)a"),
        (n.Binary("/", n.Convert(A, U32, implicit=True), n.Const(2, U32), U32), "a / 2u"),
        (
            n.Convert(n.Binary("/", var("x", F32), n.Const(2.0, F32), F32), I32, implicit=True),
            "convert_int_sat(x / 2.0f)",
        ),
    ],
)
def test_text_has_the_parentheses_and_casts_it_needs_and_no_more(expression: n.Expr, text: str) -> None:
    assert printed(expression) == text


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_f32_literals_round_trip(value: float) -> None:
    text = literal(value, F32, OPENCL)
    assert text.endswith("f")
    assert np.float32(text[:-1]) == np.float32(value)
    assert np.signbit(np.float32(text[:-1])) == np.signbit(np.float32(value))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_f64_literals_round_trip(value: float) -> None:
    text = shortest(value, F64)
    assert float(text) == value


@given(st.floats(width=16, allow_nan=False, allow_infinity=False))
def test_f16_literals_round_trip(value: float) -> None:
    assert np.float16(literal(value, F16, METAL)[:-1]) == np.float16(value)


def test_special_literals() -> None:
    assert literal(float("inf"), F32, OPENCL) == "INFINITY"
    assert literal(float("-inf"), F32, METAL) == "-INFINITY"
    assert literal(float("nan"), F32, OPENCL) == "NAN"
    assert literal(0.1, F32, OPENCL) == "0.1f"
    assert literal(1e-5, F32, OPENCL) == "1e-5f"
    assert literal((1 << 64) - 1, U64, OPENCL) == "18446744073709551615UL"
    assert literal(-(1 << 63), I64, METAL) == "(-9223372036854775807L - 1)"
