"""A program as compact C-like text, for people: tests, debugging, error messages. No compiler reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import nodes as n
from .types import F32, F64, I32, I64, U32, U64, Array, Scalar, Space, Type

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_INDENT = "    "
_LEVELS = ("||", "&&", "|", "^", "&", "== !=", "< <= > >=", "<< >>", "+ -", "* / %")
_BINARY = {op: level for level, ops in enumerate(_LEVELS, 1) for op in ops.split()}
_SELECT, _ADD, _UNARY, _POSTFIX = 0, 9, 11, 12
_LITERAL_SUFFIX = {F32: "f", F64: "", I32: "", U32: "u", I64: "L", U64: "uL"}


def show_program(program: n.Program) -> str:
    """Return the whole program: named constants, device functions, kernel."""
    lines = [f"const {c.type} {c.name} = {_literal(c.value, c.type)};" for c in program.constants]
    for f in program.functions:
        lines += ["", *_function(f, "device ")] if lines else _function(f, "device ")
    lines += ["", *_function(program.kernel, "kernel ")] if lines else _function(program.kernel, "kernel ")
    return "\n".join(lines) + "\n"


def show_function(f: n.Function) -> str:
    """Return one function."""
    return "\n".join(_function(f, "")) + "\n"


def show_body(body: Sequence[n.Stmt]) -> str:
    """Return statements, one a line, indented from column 1."""
    return "".join(line + "\n" for line in _statements(body, ""))


def show_expr(e: n.Expr) -> str:
    """Return an expression with no more parentheses than C needs."""
    return _expr(e)[0]


def declare(name: str, t: Type) -> str:
    """Return a declarator as C writes it: `f32 tile[16][17]`."""
    dims = ""
    while isinstance(t, Array):
        dims += f"[{t.length or ''}]"
        t = t.elem
    return f"{t} {name}{dims}"


def _function(f: n.Function, kind: str) -> list[str]:
    params = ", ".join(declare(p.name, p.type) for p in f.params)
    head = f"{kind}{f.returns} {f.name}({params}) {{"
    return [*(line for c in f.comments for line in _comment(c)), head, *_statements(f.body, _INDENT), "}"]


def _statements(body: Sequence[n.Stmt], pad: str) -> Iterator[str]:
    for s in body:
        for c in s.comments:
            yield from (pad + line for line in _comment(c))
        lines = list(_statement(s, pad))
        if s.trailing is not None:
            lines[0] += "  " + " ".join(_comment(s.trailing))
        yield from lines


def _comment(text: str) -> list[str]:
    """The lines of a comment; readers keep the author's markers, rewrites write none."""
    marked = text.startswith(("//", "/*"))
    return [line.strip() if marked else f"// {line}" for line in text.splitlines()]


def _statement(s: n.Stmt, pad: str) -> Iterator[str]:
    match s:
        case n.If(cond=cond, then=then, other=other):
            yield f"{pad}if ({show_expr(cond)}) {{"
            yield from _statements(then, pad + _INDENT)
            while len(other) == 1 and isinstance(other[0], n.If) and not other[0].comments:
                yield f"{pad}}} else if ({show_expr(other[0].cond)}) {{"
                yield from _statements(other[0].then, pad + _INDENT)
                other = other[0].other
            if other:
                yield f"{pad}}} else {{"
                yield from _statements(other, pad + _INDENT)
            yield f"{pad}}}"
        case n.For():
            if s.unroll is not None:
                yield f"{pad}#unroll {s.unroll or ''}".rstrip()
            cond = show_expr(s.cond) if s.cond is not None else ""
            yield f"{pad}for ({_clause(s.init)}; {cond}; {_clause(s.step)}) {{"
            yield from _statements(s.body, pad + _INDENT)
            yield f"{pad}}}"
        case n.While(cond=cond, body=body, post=post):
            yield f"{pad}do {{" if post else f"{pad}while ({show_expr(cond)}) {{"
            yield from _statements(body, pad + _INDENT)
            yield f"{pad}}} while ({show_expr(cond)});" if post else f"{pad}}}"
        case n.Block(body=body):
            yield f"{pad}{{"
            yield from _statements(body, pad + _INDENT)
            yield f"{pad}}}"
        case _:
            yield f"{pad}{_simple(s)};"


def _clause(statements: Sequence[n.Stmt]) -> str:
    return ", ".join(_simple(s) for s in statements)


def _simple(s: n.Stmt) -> str:
    match s:
        case n.Declare():
            space = "" if s.space is Space.PRIVATE else f"{s.space.value} "
            text = f"{space}{'const ' if s.const else ''}{declare(s.name, s.type)}"
            if s.items is not None:
                return f"{text} = {{{', '.join(show_expr(i) for i in s.items)}}}"
            return text if s.init is None else f"{text} = {show_expr(s.init)}"
        case n.Assign(target=target, value=value, op=op):
            return f"{show_expr(target)} {op or ''}= {show_expr(value)}"
        case n.Evaluate(value=value):
            return show_expr(value)
        case n.Break():
            return "break"
        case n.Continue():
            return "continue"
        case n.Return(value=value):
            return "return" if value is None else f"return {show_expr(value)}"
        case n.Barrier(scope=scope, mask=mask):
            return f"barrier({scope.value}{_mask(mask)})"
        case n.Fence(scope=scope):
            return f"fence({scope.value})"
        case n.MatrixStep(op=op, matrix=matrix, operands=operands, layout=layout):
            rest = [*map(show_expr, operands), *([layout] if layout else [])]
            return f"matrix_{op}({', '.join([show_expr(matrix), *rest])})"
        case _:
            raise TypeError(f"{type(s).__name__} is no simple statement")


def _literal(value: bool | float, t: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value)
    return f"{text}{_LITERAL_SUFFIX[t]}" if t in _LITERAL_SUFFIX else f"{t}({text})"


def _list(items: Sequence[n.Expr]) -> str:
    return ", ".join(show_expr(i) for i in items)


def _at(e: n.Expr, level: int) -> str:
    text, own = _expr(e)
    return text if own >= level else f"({text})"


def _expr(e: n.Expr) -> tuple[str, int]:
    """The text of an expression and how tightly its outermost operator binds."""
    match e:
        case n.Const(value=value, type=t, name=name):
            text = name or _literal(value, t)
            return text, _UNARY if text.startswith("-") else _POSTFIX
        case n.Var(name=name):
            return name, _POSTFIX
        case n.GridIndex(kind=kind, axis=axis):
            whole = kind in (n.Grid.LANE, n.Grid.SUBGROUP, n.Grid.SUBGROUP_SIZE)
            return kind.value if whole else f"{kind.value}.{'xyz'[axis] if axis in range(3) else axis}", _POSTFIX
        case n.Unary(op=op, value=value):
            inner = _at(value, _UNARY)
            return (f"{op}({inner})" if inner.startswith("-") else f"{op}{inner}"), _UNARY
        case n.Binary(op=op, left=left, right=right, rounded=rounded):
            level = _BINARY[op]
            return f"{_at(left, level)} {op}{'rn' if rounded else ''} {_at(right, level + 1)}", level
        case n.Select(cond=cond, then=then, other=other):
            return f"{_at(cond, 1)} ? {_at(then, 1)} : {_at(other, _SELECT)}", _SELECT
        case n.IsNull(pointer=pointer):
            return f"{_at(pointer, _POSTFIX)} is null", _SELECT
        case n.Offset(pointer=pointer, delta=delta):
            return f"{_at(pointer, _ADD)} + {_at(delta, _ADD + 1)}", _ADD
        case n.Deref(pointer=pointer):
            return f"*{_at(pointer, _UNARY)}", _UNARY
        case n.AddressOf(memory=memory):
            return f"&{_at(memory, _UNARY)}", _UNARY
        case n.PointerCast(pointer=pointer, type=t):
            return f"({t}){_at(pointer, _UNARY)}", _UNARY
        case n.Element(base=base, index=index):
            return f"{_at(base, _POSTFIX)}[{show_expr(index)}]", _POSTFIX
        case n.Component(base=base, index=index):
            name = "xyzw"[index] if index < 4 else f"s{index}"
            return f"{_at(base, _POSTFIX)}.{name}", _POSTFIX
        case n.Field(base=base, name=name):
            return f"{_at(base, _POSTFIX)}.{name}", _POSTFIX
        case n.Decay(array=array):
            return _expr(array)
        case _:
            return _call_like(e), _POSTFIX


def _mask(mask: n.Expr | None) -> str:
    return "" if mask is None else f", mask={show_expr(mask)}"


def _call_like(e: n.Expr) -> str:
    match e:
        case n.Convert(value=value, type=t):
            return f"{t}({show_expr(value)})"
        case n.Bitcast(value=value, type=t):
            return f"bits<{t}>({show_expr(value)})"
        case n.MakeVector(items=items, type=t):
            return f"{t}({_list(items)})"
        case n.Aggregate(items=items, type=t):
            return f"{t}{{{_list(items)}}}"
        case n.MathCall(fn=fn, args=args):
            return f"{fn}({_list(args)})"
        case n.Call(function=function, args=args):
            return f"{function}({_list(args)})"
        case n.Shuffle():
            width = "" if e.width == 32 else f", width={e.width}"
            mark = ", undefined" if e.undefined else ""
            return f"shuffle_{e.kind}({_list((e.value, e.lane))}{width}{mark}{_mask(e.mask)})"
        case n.Vote():
            return f"{e.kind}({show_expr(e.value)}{'' if e.width == 32 else f', width={e.width}'}{_mask(e.mask)})"
        case n.Atomic():
            scope = "" if e.scope is n.Scope.DEVICE else f".{e.scope.value}"
            args = (e.pointer, e.value) if e.expected is None else (e.pointer, e.expected, e.value)
            return f"atomic_{e.op}{scope}({_list(args)})"
        case _:
            raise TypeError(f"{type(e).__name__} is no expression")
