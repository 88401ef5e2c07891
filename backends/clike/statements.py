"""The statement printer: IR statements to lines of C, with the author's comments and the porter's diagnostics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...ir import nodes as n
from ...ir.diagnostics import Diagnostic, Refusal, Severity, refuse
from ...ir.types import Array, Pointer, Scalar, Space, Struct, Type, Vector, alignment_of
from ...ir.walk import walk
from .text import ASSIGNMENT, INDENT, WIDTH, comment_block, wrap, wrap_comment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .expressions import Expressions

SHORT_IF = 100
"""Longest line, columns, on which an `if` and its only statement stay together."""


class Statements:
    """Prints statements; every refusal is collected in `problems`, so that one run names them all.

    alignment: bytes that shared arrays of narrower elements are aligned to, 0 for what their type asks.
    """

    def __init__(
        self,
        expressions: Expressions,
        diagnostics: Iterable[Diagnostic],
        dynamic: str,
        memory: str,
        alignment: int = 0,
    ) -> None:
        self.expressions = expressions
        self.problems: list[Diagnostic] = []
        self._dialect = expressions.dialect
        self._types = expressions.types
        self._notes = [d for d in diagnostics if d.severity is not Severity.ERROR and d.loc is not None]
        self._dynamic = dynamic
        self._memory = memory
        self._alignment = alignment

    def body(self, statements: Sequence[n.Stmt], depth: int) -> list[str]:
        """The lines of several statements."""
        lines: list[str] = []
        previous: n.Stmt | None = None
        for s in statements:
            printed = self.statement(s, depth)
            if printed and lines and previous is not None and _apart(previous, s):
                lines.append("")
            lines.extend(printed)
            previous = s
        return lines

    def statement(self, s: n.Stmt, depth: int) -> list[str]:
        """The lines of one statement, with what is said about it before."""
        indent = INDENT * depth
        self.expressions.loc = self._types.loc = s.loc
        before = comment_block(s.comments, indent) + self._notes_on(s, indent)
        try:
            lines = self._lines(s, indent, depth)
        except Refusal as refusal:
            self.problems.extend(
                Diagnostic(d.number, d.message, d.loc or s.loc, d.severity) for d in refusal.diagnostics
            )
            return before
        if s.trailing:
            note = comment_block([s.trailing], "")
            first = lines[0] + "  " + note[0] if len(note) == 1 and lines else ""
            if first and len(first) <= WIDTH and (len(lines) == 1 or lines[0].endswith("{")):
                lines[0] = first
            else:
                before += comment_block([s.trailing], indent)
        return before + lines

    def _notes_on(self, s: n.Stmt, indent: str) -> list[str]:
        if s.loc is None:
            return []
        mine = [d for d in self._notes if d.loc is not None and (d.loc.file, d.loc.line) == (s.loc.file, s.loc.line)]
        self._notes = [d for d in self._notes if d not in mine]
        return [line for d in mine for text in [f"// {d.number}: {d.message}"] for line in wrap_comment(text, indent)]

    def _lines(self, s: n.Stmt, indent: str, depth: int) -> list[str]:
        match s:
            case n.Declare() | n.Assign() | n.Evaluate():
                text = self.simple(s)
                return wrap(f"{indent}{text};") if text else []
            case n.If():
                return self._if(s, indent, depth)
            case n.For():
                return self._for(s, indent, depth)
            case n.While(cond, body, True):
                test = self.expressions.condition(cond).text
                return [f"{indent}do {{", *self.body(body, depth + 1), *wrap(f"{indent}}} while ({test});")]
            case n.While():
                test = self.expressions.condition(s.cond).text
                return [*wrap(f"{indent}while ({test}) {{"), *self.body(s.body, depth + 1), f"{indent}}}"]
            case n.Break():
                return [f"{indent}break;"]
            case n.Continue():
                return [f"{indent}continue;"]
            case n.Return():
                value = "" if s.value is None else " " + self.expressions.plain(s.value)
                return wrap(f"{indent}return{value};")
            case n.Barrier():
                return [indent + line for line in self._table(s, "barrier of the")]
            case n.Fence():
                return [indent + line for line in self._table(s, "memory fence of the")]
            case n.MatrixStep():
                return wrap(f"{indent}{self._matrix(s)}")
            case n.Block():
                return [f"{indent}{{", *self.body(s.body, depth + 1), f"{indent}}}"]

    def _table(self, s: n.Barrier | n.Fence, what: str) -> list[str]:
        texts = self._dialect.barriers if isinstance(s, n.Barrier) else self._dialect.fences
        if s.scope not in texts:
            raise refuse("GP2010", f"{self._dialect.title} on this device has no {what} {s.scope.value}", s.loc)
        given = s.mask if isinstance(s, n.Barrier) else None
        mask = "" if given is None else self.expressions.calls.lane_mask(given, s.loc)
        return texts[s.scope].format(memory=self._memory, mask=mask).splitlines()

    def _matrix(self, s: n.MatrixStep) -> str:
        """A step of a matrix unit."""
        form, t = self._dialect.matrix, s.matrix.type
        self._types.loc = s.loc
        if form is None or not isinstance(t, Struct) or t.fragment is None:
            raise refuse("GP2010", f"{self._dialect.title} on this device has no matrix steps", s.loc)
        matrix = self.expressions.plain(s.matrix)
        # the functions are templates: a value's type is the matrix's own
        show = self.expressions.exact if s.op == "fill" else self.expressions.value
        operands = [show(e).text for e in s.operands]
        fields = {"fill": ("value",), "multiply": ("a", "b", "c")}.get(s.op, ("pointer", "stride"))
        text = form.steps.get(f"{s.op} {t.fragment.use}") or form.steps[s.op]
        return text.format(
            matrix=matrix,
            elem=form.elems.get(t.fragment.elem.name) or self._types.name(t.fragment.elem),
            layout=form.step_layouts.get(s.layout, ""),
            **dict(zip(fields, operands, strict=True)),
        )

    def simple(self, s: n.Stmt) -> str:
        """A declaration, assignment or call without its semicolon; empty for what is declared elsewhere."""
        match s:
            case n.Declare():
                return self._declare(s)
            case n.Assign():
                return self._assign(s)
            case n.Evaluate(value=n.Atomic() as atomic):
                return self.expressions.calls.atomic(atomic, taken=False).text
            case n.Evaluate():
                return self.expressions.value(s.value).text
            case _:
                raise refuse("GP2010", f"a {type(s).__name__.lower()} where C takes an expression", s.loc)

    def _declare(self, s: n.Declare) -> str:
        t: Type = s.type
        if s.space is Space.SHARED and isinstance(t, Array) and t.length == 0:
            one = self._aligned(s) + self._types.declaration(Array(t.elem, 1), s.name, space=s.space)
            if self._dialect.extern_shared:
                return "extern " + one.replace("[1]", "[]", 1)
            if not self._dynamic:
                return ""
            # a size that the host gives
            return one.replace("[1]", f"[{self._dynamic} / sizeof({self._types.in_memory(_flat(t.elem))})]", 1)
        text = self._aligned(s) + self._types.declaration(t, s.name, space=s.space, const=s.const)
        if s.items is not None:
            return f"{text} = {{{', '.join(self.expressions.braces(i) for i in s.items)}}}"
        if isinstance(s.init, n.Aggregate):
            return f"{text} = {self.expressions.braces(s.init)}"
        return text if s.init is None else f"{text} = {self.expressions.plain(s.init)}"

    def _aligned(self, s: n.Declare) -> str:
        """Of an array that is looked at as wider elements too: that it is aligned like those."""
        narrow = s.space is Space.SHARED and isinstance(s.type, Array) and alignment_of(s.type) < self._alignment
        return self._dialect.aligned.format(n=self._alignment) if narrow else ""

    def _assign(self, s: n.Assign) -> str:
        target, e = s.target, self.expressions
        op, value = s.op, s.value
        if op is None and isinstance(value, n.Offset) and value.pointer == target:
            op, value = "+", value.delta
        # the product of a compound assignment, where no function has to stand for it
        plain = op is None and not self._dialect.rounded
        if plain and isinstance(value, n.Binary) and value.rounded and value.left == target:
            op, value = value.op, value.right
        if op is None and (step := _wrapped_step(target, value)) is not None:
            return f"{e.memory.place(target).text} {step.op}= {e.plain(step.right)}"
        stored = e.memory.store_vec3(target, "{}")
        if stored is not None:
            whole = value if op is None else n.Binary(op, target, value, _value_type(target))
            return e.memory.store_vec3(target, e.value(whole).text) or ""
        left = e.memory.place(target).text
        t = target.type
        if op is not None and isinstance(t, Vector) and self._dialect.componentwise:
            return f"{left} = {e.value(n.Binary(op, target, value, t)).text}"
        if op is None:
            is_bool = str(t) == "bool" and self._dialect.bool_memory != "bool"
            return f"{left} = {e.exact(value).text if is_bool else e.plain(value)}"
        if (
            op in ("+", "-")
            and isinstance(value, n.Const)
            and value.value == 1
            and value.name is None
            and not _floating(t)
        ):
            return f"{op}{op}{left if not left.startswith('*') else f'({left})'}"
        if isinstance(t, Pointer):
            return f"{left} {op}= {e.index(value).text}"
        return f"{left} {op}= {self._operand(op, target, value)}"

    def _operand(self, op: str, target: n.Expr, value: n.Expr) -> str:
        """The right side of `target op= value`, such that C computes in the target's type, or modulo its width."""
        t = target.type
        e = self.expressions
        if not isinstance(t, Scalar):
            return e.exact(value).text
        if op in ("<<", ">>"):
            return e.index(value).text
        text = e.value(value)
        for candidate in (text, e.exact(value)):
            if e.computes(op, t, candidate):
                return candidate.text
        return e.exact(value).text

    def _if(self, s: n.If, indent: str, depth: int) -> list[str]:
        head = f"{indent}if ({self.expressions.condition(s.cond).text})"
        if not s.other and len(s.then) == 1:
            only = s.then[0]
            quiet = not only.comments and not self._has_notes(only)
            if quiet and isinstance(only, n.Assign | n.Evaluate | n.Return | n.Break | n.Continue):
                inner = self.statement(only, 0)
                line = f"{head} {inner[0]}" if len(inner) == 1 else ""
                if line and len(line) <= WIDTH and len(line.split(";  //")[0]) < SHORT_IF:
                    return [line]
                self.expressions.loc = s.loc
        lines = [*wrap(head + " {"), *self.body(s.then, depth + 1)]
        if not s.other:
            return [*lines, f"{indent}}}"]
        if (
            len(s.other) == 1
            and isinstance(s.other[0], n.If)
            and not s.other[0].comments
            and not self._has_notes(s.other[0])
        ):
            nested = self._long_if(s.other[0], indent, depth)
            return [*lines, f"{indent}}} else {nested[0].lstrip()}", *nested[1:]]
        return [*lines, f"{indent}}} else {{", *self.body(s.other, depth + 1), f"{indent}}}"]

    def _long_if(self, s: n.If, indent: str, depth: int) -> list[str]:
        lines = self._if(s, indent, depth)
        if len(lines) == 1:
            head = f"{indent}if ({self.expressions.condition(s.cond).text}) {{"
            return [*wrap(head), *self.body(s.then, depth + 1), f"{indent}}}"]
        return lines

    def _has_notes(self, s: n.Stmt) -> bool:
        return s.loc is not None and any(
            d.loc and (d.loc.file, d.loc.line) == (s.loc.file, s.loc.line) for d in self._notes
        )

    def _for(self, s: n.For, indent: str, depth: int) -> list[str]:
        init = self._for_init(s.init)
        if init is None:
            rest = n.For((), s.cond, s.step, s.body, s.unroll, loc=s.loc)
            inner = [*self.body(s.init, depth + 1), *self._for(rest, indent + INDENT, depth + 1)]
            return [f"{indent}{{", *inner, f"{indent}}}"]
        known = self._loop_range(s)
        if known is not None:
            self.expressions.ranges[known[0]] = known[1]
        cond = "" if s.cond is None else " " + self.expressions.condition(s.cond).text
        step = ", ".join(self.simple(x) for x in s.step)
        head = wrap(f"{indent}for ({init};{cond};{' ' if step else ''}{step}) {{")
        pragma = [] if s.unroll is None else [f"{indent}#pragma unroll{f' {s.unroll}' if s.unroll else ''}"]
        lines = [*pragma, *head, *self.body(s.body, depth + 1), f"{indent}}}"]
        if known is not None:
            del self.expressions.ranges[known[0]]
        return lines

    def _loop_range(self, s: n.For) -> tuple[str, tuple[int, int]] | None:
        """The values that a counting loop's variable has in condition and body, where they are plain to see.

        `for (int k = 0; k < 16; k += 2)` gives k in 0..16 (16 is what the last condition sees); likewise for variables
        that are halved or doubled.
        """
        if len(s.init) != 1 or len(s.step) != 1 or not isinstance(s.cond, n.Binary):
            return None
        first, step = s.init[0], s.step[0]
        if not (isinstance(first, n.Declare) and isinstance(step, n.Assign) and first.init is not None):
            return None
        var = n.Var(first.name, first.type)
        if (
            step.target != var
            or s.cond.left != var
            or any(
                x.target == var if isinstance(x, n.Assign) else isinstance(x, n.AddressOf) and x.memory == var
                for b in s.body
                for x in walk(b)
            )
        ):
            return None
        start, bound, by = (self.expressions.value(e).range for e in (first.init, s.cond.right, step.value))
        if start is None or bound is None or by is None or start[0] < 0:
            return None
        if step.op in (">>", "/") and by[0] >= (1 if step.op == ">>" else 2) and s.cond.op in (">", ">=", "!="):
            return first.name, (0, start[1])
        grows = (step.op == "+" and by[0] > 0) or (step.op == "*" and by[0] > 1) or (step.op == "<<" and by[0] > 0)
        if grows and s.cond.op in ("<", "<="):
            return first.name, (start[0], _after(step.op or "", bound[1], by[1]))
        return None

    def _for_init(self, init: Sequence[n.Stmt]) -> str | None:
        """The first part of a for statement; None where it takes statements of its own before the loop."""
        if not init:
            return ""
        declares = [s for s in init if isinstance(s, n.Declare)]
        if not declares:
            simple = all(isinstance(s, n.Assign | n.Evaluate) for s in init)
            return ", ".join(self.simple(s) for s in init) if simple else None
        first = declares[0]
        alike = all(s.type == first.type and s.const == first.const and s.init is not None for s in declares)
        if len(declares) != len(init) or not alike or not (isinstance(first.type, Scalar) or len(init) == 1):
            return None
        if first.space is Space.SHARED or first.items is not None:
            return None
        more = [f"{s.name} = {self.expressions.plain(s.init, ASSIGNMENT)}" for s in declares[1:] if s.init is not None]
        return ", ".join([self.simple(first), *more])


def _apart(a: n.Stmt, b: n.Stmt) -> bool:
    """Tell whether the author left a blank line between two statements, as far as their lines tell."""
    if a.loc is None or b.loc is None or a.loc.file != b.loc.file:
        return False
    comments = sum(len(comment_block([c], "")) for c in b.comments)
    return b.loc.line - comments - _last_line(a) > 1


def _last_line(s: n.Stmt) -> int:
    """The line on which a statement ends, or one of the next: closing braces have no place in the IR."""
    lines = [x.loc.line for x in walk(s) if x.loc is not None]
    closing, last = 0, s
    while isinstance(last, n.If | n.For | n.While | n.Block):
        body = (last.other or last.then) if isinstance(last, n.If) else last.body
        if not body:
            break
        # a statement on the line of its `if` has no braces
        closing += not (body[-1].loc and last.loc and body[-1].loc.line == last.loc.line)
        last = body[-1]
    return max(lines, default=0) + closing


def _after(op: str, bound: int, by: int) -> int:
    """The largest value that a growing loop variable can reach: one step beyond its bound."""
    return bound + by if op == "+" else bound * by if op == "*" else bound << by


def _floating(t: Type) -> bool:
    return not isinstance(t, Pointer) and not (isinstance(t, Scalar) and t.is_integer)


def _flat(t: Type) -> Type:
    while isinstance(t, Array):
        t = t.elem
    return t


def _wrapped_step(target: n.Expr, value: n.Expr) -> n.Binary | None:
    """Return the operation of `int i; i += unsigned`, which C computes in the wider type and cuts off again.

    The low bits of + - * do not depend on the width or sign that they are computed in, so that `i += x` gives the same.
    """
    if not (isinstance(value, n.Convert) and value.implicit and value.type == target.type):
        return None
    step = value.value
    if not (isinstance(step, n.Binary) and step.op in ("+", "-", "*") and isinstance(step.left, n.Convert)):
        return None
    integers = all(isinstance(t, Scalar) and t.is_integer for t in (target.type, step.type))
    return step if integers and step.left.implicit and step.left.value == target else None


def _value_type(e: n.Expr) -> Scalar | Vector:
    if not isinstance(e.type, Scalar | Vector):
        raise TypeError(f"no operator on {e.type}")
    return e.type
