"""Calls: math functions, device functions, and the operations on lanes and atomics that helpers stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...ir import nodes as n
from ...ir.diagnostics import refuse
from ...ir.mathlib import MATH, MathFn
from ...ir.types import BOOL, F32, Pointer, Scalar, Type, Vector, scalar_of
from . import operators as ops
from .declare import suffix
from .text import POSTFIX, Text

if TYPE_CHECKING:
    from .dialect import LaneForm
    from .expressions import Expressions


class Calls:
    """Prints those expressions of a program that are calls in the text; operands are the expression printer's."""

    def __init__(self, expressions: Expressions) -> None:
        self._print = expressions
        self._dialect = expressions.dialect

    def math(self, e: n.MathCall) -> Text:
        """A function of the math table, or the operator that stands for it."""
        printer, dialect = self._print, self._dialect
        fn, operand = MATH[e.fn], e.args[0].type
        scalar = scalar_of(operand)
        if e.fn == "recip" and isinstance(e.type, Scalar):
            return printer.binary(n.Binary("/", n.Const(1.0, e.type), e.args[0], e.type))
        if e.fn == "fast_divide" and "fast_divide" not in dialect.math:
            # the exact quotient is within any bound of the fast one
            return printer.binary(n.Binary("/", e.args[0], e.args[1], e.type))
        args = [printer.exact(a) for a in e.args]
        through_float = dialect.cpp and isinstance(operand, Scalar) and operand.is_float and operand.bits == 16
        if through_float:
            # Metal's precise functions take float
            args = [printer.cast(a, F32) if a.ctype == operand else a for a in args]
        if e.fn in dialect.helper_math and not (fn.fast and scalar != F32):
            unsigned = printer.types.name(ops.widened(scalar)) if scalar.is_integer else ""
            context = {"type": printer.types.name(operand), "unsigned": unsigned, "scalar": scalar}
            name = self._helper(f"gp_{e.fn}", suffix(operand), dialect.helper_math[e.fn], **context)
        elif e.fn in dialect.math and not (fn.fast and scalar != F32):
            name = dialect.math[e.fn]
        else:
            raise refuse("GP2006", f"{dialect.title} has no {e.fn} for {operand}", e.loc or printer.loc)
        text = f"{name}({', '.join(a.text for a in args)})"
        if through_float and fn.result == "same" and isinstance(e.type, Scalar):
            return printer.cast(Text(text, POSTFIX, F32), e.type)
        return self._math_result(text, e, fn, operand)

    def _math_result(self, text: str, e: n.MathCall, fn: MathFn, operand: Type) -> Text:
        """The text with the type that the destination's compiler gives the call."""
        if fn.result == "bool":
            return Text(text, POSTFIX, BOOL)
        if not isinstance(operand, Scalar):
            return Text(text, POSTFIX, e.type)
        if fn.result == "i32":
            own_type = e.fn in self._dialect.helper_math
            return Text(text, POSTFIX, e.type if own_type else operand, (0, operand.bits))
        if e.fn == "abs" and self._dialect.int_abs_unsigned:
            return Text(text, POSTFIX, Scalar(f"u{operand.bits}", "uint", operand.bits))
        return Text(text, POSTFIX, e.type)

    def call(self, e: n.Call) -> Text:
        """A device function, with what it needs from the kernel behind its own arguments."""
        printer = self._print
        args = [printer.assignable(a).text for a in e.args]
        passed = printer.passed_attributes.get(e.function, ())
        printer.use(*passed)
        args += [*printer.extras.get(e.function, ()), *passed]
        return Text(f"{e.function}({', '.join(args)})", POSTFIX, e.type)

    def shuffle(self, e: n.Shuffle) -> Text:
        """A shuffle: the language's own where it means the same, else a helper."""
        printer, lanes = self._print, self._lanes("shuffle", e)
        width = e.width or printer.width
        value = printer.exact(e.value)
        if width == lanes.hardware_width and isinstance(e.type, Scalar) and e.type.bits in (16, 32):
            direct = lanes.direct.get("undefined " + e.kind if e.undefined else e.kind)
            lane = printer.index(e.lane)
            if direct and (e.undefined or (lane.range is not None and lane.range[0] >= 0 and lane.range[1] < width)):
                return Text(direct.format(value=value.text, lane=lane.text), POSTFIX, e.type)
        printer.helpers.extension(*lanes.extensions)
        printer.use(*lanes.passes)
        name = self._shuffle_helper(lanes, e.kind, e.type, width)
        args = [value.text, printer.assignable(e.lane).text, *lanes.passes]
        return Text(f"{name}({', '.join(args)})", POSTFIX, e.type)

    def _shuffle_helper(self, lanes: LaneForm, kind: str, t: Scalar | Vector, width: int) -> str:
        part = self._shuffle_helper(lanes, kind, t.elem, width) if isinstance(t, Vector) else ""
        stem = f"gp_shfl_{kind}" + ("" if width == 32 else f"_{width}")
        context = {
            "kind": kind,
            "width": width,
            "type": self._print.types.name(t),
            "scalar": scalar_of(t),
            "part": part,
        }
        return self._helper(
            stem, suffix(t), lanes.shuffle, vector_lanes=t.lanes if isinstance(t, Vector) else 0, **context
        )

    def vote(self, e: n.Vote) -> Text:
        """any, all or ballot, as a helper."""
        printer, lanes = self._print, self._lanes("vote", e)
        width = e.width or printer.width
        value = printer.exact(e.value).text
        if width == lanes.hardware_width and e.kind in lanes.direct:
            return Text(lanes.direct[e.kind].format(value=value), POSTFIX, e.type)
        printer.helpers.extension(*lanes.extensions)
        printer.use(*lanes.passes)
        name = f"gp_{e.kind}" + ("" if width == 32 else f"_{width}")
        printer.helpers.need(name, lanes.vote, function=name, kind=e.kind, width=width, type=printer.types.name(e.type))
        return Text(f"{name}({', '.join((value, *lanes.passes))})", POSTFIX, e.type)

    def _lanes(self, what: str, e: n.Shuffle | n.Vote) -> LaneForm:
        lanes = self._dialect.lanes
        width = e.width or self._print.width
        where = e.loc or self._print.loc
        if lanes is None:
            raise refuse("GP2006", f"{self._dialect.title} on this device has no subgroup {what}", where)
        if not lanes.lane_scratch and width > lanes.hardware_width:
            raise refuse("GP2006", f"a {what} of {width} lanes; subgroups here have {lanes.hardware_width}", where)
        return lanes

    def atomic(self, e: n.Atomic) -> Text:
        """An atomic operation: the language's function or a helper, by type and address space."""
        printer, dialect = self._print, self._dialect
        pointer = e.pointer.type
        if not isinstance(pointer, Pointer):
            raise TypeError("an atomic on no pointer")
        for form in dialect.atomics:
            if e.type.name not in form.types or e.op not in form.ops or pointer.space not in form.spaces:
                continue
            printer.helpers.extension(*form.extensions)
            p, v = printer.value(e.pointer).text, printer.exact(e.value).text
            expected = printer.exact(e.expected).text if e.expected is not None else ""
            if form.text:
                return Text(form.text.format(op=form.ops[e.op], p=p, v=v, e=expected), POSTFIX, e.type)
            kind = f"{e.type}_{pointer.space.value}"
            context = {"op": e.op, "spelled": form.ops[e.op], "type": printer.types.name(e.type), "scalar": e.type}
            function = self._helper(
                f"gp_atomic_{e.op}", kind, form.helper, space=dialect.spaces[pointer.space], **context
            )
            return Text(f"{function}({', '.join(filter(None, (p, expected, v)))})", POSTFIX, e.type)
        what = f"no atomic {e.op} on {e.type} in {pointer.space.value} memory"
        raise refuse("GP2008", f"{dialect.title} on this device has {what}", e.loc or printer.loc)

    def _helper(self, stem: str, operands: str, template: str, **context: Any) -> str:
        """Ask for a helper of operands of some kind; where functions overload, its name does not say which."""
        function = stem if self._dialect.cpp else f"{stem}_{operands}"
        self._print.helpers.need(f"{stem}_{operands}", template, function=function, **context)
        return function
