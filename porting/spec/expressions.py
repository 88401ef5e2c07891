"""The small language of shapes and launches: integers, names, + - * // %, min, max, cdiv."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...hwmodels.errors import GpuportError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.FloorDiv: "//",
    ast.Mod: "%",
}
_FUNCTIONS = ("min", "max", "cdiv")
ALLOWED = "integers, names, + - * // %, min(), max() and cdiv()"


LONGEST = 500
"""Characters of the longest expression: nesting stays far from Python's recursion limit."""


class ExpressionError(GpuportError):
    """An expression cannot be read, or has no value."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression; `names` are the sizes and constants that it uses."""

    text: str
    tree: ast.expr = field(compare=False, repr=False)
    names: frozenset[str] = field(compare=False)

    def evaluate(self, values: Mapping[str, int]) -> int:
        """Return the value; raises ExpressionError for an unknown name or a division by zero."""
        return _evaluate(self.tree, values, self.text)

    def to_python(self, rename: Callable[[str], str] = str) -> str:
        """Return Python source that computes the same; cdiv becomes `-(-a // b)`."""
        return _python(self.tree, rename)


def parse_expression(source: int | str) -> Expression:
    """Parse an expression; raises ExpressionError that says what is allowed."""
    text = str(source).strip()
    if len(text) > LONGEST:
        raise ExpressionError(f"expected an expression of at most {LONGEST} characters, found {len(text)}")
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionError(f"expected an expression of {ALLOWED}, found {text!r}") from None
    names: set[str] = set()
    _check(tree, text, names)
    return Expression(text, tree, frozenset(names))


def _check(node: ast.expr, text: str, names: set[str]) -> None:
    match node:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int()):
            return None
        case ast.Name(id=name):
            names.add(name)
            return None
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return _check(operand, text, names)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            _check(left, text, names)
            return _check(right, text, names)
        case ast.BinOp(op=ast.Div()):
            raise ExpressionError(f"'/' has no integer value in {text!r}: use // or cdiv(a, b)")
        case ast.Call(func=ast.Name(id=fn), args=args, keywords=[]) if fn in _FUNCTIONS:
            if len(args) < 2 or (fn == "cdiv" and len(args) != 2):
                raise ExpressionError(f"{fn} takes {'two' if fn == 'cdiv' else 'two or more'} operands in {text!r}")
            for a in args:
                _check(a, text, names)
            return None
        case _:
            pass
    raise ExpressionError(f"expected an expression of {ALLOWED}, found {text!r}")


def _evaluate(node: ast.expr, values: Mapping[str, int], text: str) -> int:
    match node:
        case ast.Constant(value=int() as value):
            return value
        case ast.Name(id=name):
            if name not in values:
                known = ", ".join(sorted(values)) or "none"
                raise ExpressionError(f"unknown name {name!r} in {text!r}; known: {known}")
            return values[name]
        case ast.UnaryOp(op=op, operand=operand):
            value = _evaluate(operand, values, text)
            return -value if isinstance(op, ast.USub) else value
        case ast.BinOp(left=left, op=op, right=right):
            return _apply(type(op), _evaluate(left, values, text), _evaluate(right, values, text), text)
        case ast.Call(func=ast.Name(id=fn), args=args):
            found = [_evaluate(a, values, text) for a in args]
            if fn == "cdiv":
                return -_apply(ast.FloorDiv, -found[0], found[1], text)
            return min(found) if fn == "min" else max(found)
        case _:
            raise AssertionError(ast.dump(node))


def _apply(op: type[ast.operator], a: int, b: int, text: str) -> int:
    if op in (ast.FloorDiv, ast.Mod) and b == 0:
        raise ExpressionError(f"division by zero in {text!r}")
    if op is ast.Add:
        return a + b
    if op is ast.Sub:
        return a - b
    if op is ast.Mult:
        return a * b
    return a // b if op is ast.FloorDiv else a % b


def _python(node: ast.expr, rename: Callable[[str], str]) -> str:
    match node:
        case ast.Constant(value=value):
            return str(value)
        case ast.Name(id=name):
            return rename(name)
        case ast.UnaryOp(op=op, operand=operand):
            return f"{'-' if isinstance(op, ast.USub) else '+'}{_wrapped(operand, rename)}"
        case ast.BinOp(left=left, op=op, right=right):
            return f"{_wrapped(left, rename)} {_OPERATORS[type(op)]} {_wrapped(right, rename)}"
        case ast.Call(func=ast.Name(id="cdiv"), args=[a, b]):
            return f"-(-{_wrapped(a, rename)} // {_wrapped(b, rename)})"
        case ast.Call(func=ast.Name(id=fn), args=args):
            return f"{fn}({', '.join(_python(a, rename) for a in args)})"
        case _:
            raise AssertionError(ast.dump(node))


def _wrapped(node: ast.expr, rename: Callable[[str], str]) -> str:
    text = _python(node, rename)
    return f"({text})" if isinstance(node, ast.BinOp | ast.UnaryOp) else text
