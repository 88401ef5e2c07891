"""What a program's arithmetic promises: functions that round, integers that stay integers, products, signs of zeros."""

from __future__ import annotations

from typing import Final

from .. import nodes as n
from ..rewrites.matrices import expand
from ..types import scalar_of
from ..walk import walk
from .order import adds_floats

_EXACT_CALLS: Final = frozenset(
    "fma fabs fmin fmax floor ceil trunc rint round copysign isnan isinf min max abs".split()
)


def budgeted(program: n.Program) -> tuple[str, ...]:
    """Return what a program computes whose accuracy is the language's: its functions, and "/" if it divides."""
    program = expand(program)
    nodes = [node for f in program.all_functions for node in walk(f)]
    called = {node.fn for node in nodes if isinstance(node, n.MathCall)}
    divides = any(isinstance(node, n.Binary | n.Assign) and node.op == "/" for node in nodes)
    return tuple(sorted(called | {c.removeprefix("fast_") for c in called})) + (("/",) if divides else ())


def rounds_by_itself(program: n.Program) -> bool:
    """Tell whether a program has sums or products that no compiler may fuse."""
    return any(isinstance(x, n.Binary) and x.rounded for f in program.all_functions for x in walk(f))


def has_loose_products(program: n.Program) -> bool:
    """Tell whether a compiler may make a float product of a program a part of a fused multiply-add."""
    nodes = [x for f in program.all_functions for x in walk(f)]
    binary = any(isinstance(x, n.Binary) and x.op == "*" and not x.rounded and _float_result(x) for x in nodes)
    return binary or any(isinstance(x, n.Assign) and x.op == "*" and _float_result(x) for x in nodes)


def has_exact_arithmetic(program: n.Program) -> bool:
    """Tell whether integers as floats stay integers: no float division, and no function that rounds."""
    for function in program.all_functions:
        for node in walk(function):
            if isinstance(node, n.MathCall) and node.fn not in _EXACT_CALLS:
                return False
            divides = isinstance(node, n.Binary | n.Assign) and node.op == "/"
            if divides and _float_result(node):
                return False
    return True


def compensates(program: n.Program) -> bool:
    """Tell whether a program asks what a product lost in rounding, by fma(a, b, -p): then its own order is meant."""
    for function in program.all_functions:
        for node in walk(function):
            if isinstance(node, n.MathCall) and node.fn == "fma":
                last = node.args[2]
                if isinstance(last, n.Unary) and last.op == "-" and not isinstance(last.value, n.Const):
                    return True
    return False


def keeps_signs(program: n.Program) -> bool:
    """Tell whether the signs of zeros are determined: no float sums, whose order decides them, and no fmin or fmax."""
    for function in program.all_functions:
        for node in walk(function):
            if isinstance(node, n.Binary | n.Assign) and node.op in ("+", "-") and _float_result(node):
                return False
            if isinstance(node, n.MathCall) and node.fn in ("fma", "fmin", "fmax", "fdim"):
                return False
            if isinstance(node, n.Atomic) and adds_floats(node):
                return False
    return True


def _float_result(node: n.Node) -> bool:
    t = node.type if isinstance(node, n.Binary) else node.target.type if isinstance(node, n.Assign) else None
    return t is not None and scalar_of(t).is_float
