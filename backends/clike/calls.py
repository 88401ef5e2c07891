"""Calls: math functions, device functions, and the operations on lanes and atomics that helpers stand for."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ...ir import nodes as n
from ...ir.diagnostics import refuse
from ...ir.mathlib import MATH, MathFn
from ...ir.types import BOOL, F32, SCALARS, U32, Pointer, Scalar, Type, Vector, scalar_of
from ...ir.walk import walk
from . import operators as ops
from .declare import suffix
from .text import POSTFIX, UNARY, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        if isinstance(operand, Vector) and dialect.componentwise:
            return printer.by_component(
                e.fn, e, e.args, lambda a: dataclasses.replace(e, args=a, type=scalar_of(e.type))
            )
        if e.fn == "recip" and isinstance(e.type, Scalar):
            return printer.binary(n.Binary("/", n.Const(1.0, e.type), e.args[0], e.type))
        if e.fn == "fast_divide" and "fast_divide" not in dialect.math:
            # the exact quotient is within any bound of the fast one
            return printer.binary(n.Binary("/", e.args[0], e.args[1], e.type))
        args = [printer.exact(a) for a in e.args]
        typed = self._typed_math(e, scalar, args)
        if typed is not None:
            return typed
        # exact functions, as fma, have forms of their own for half
        exact = "::" not in dialect.math.get(e.fn, "::") and scalar.name not in dialect.classes
        through_float = (
            dialect.cpp and isinstance(operand, Scalar) and operand.is_float and operand.bits == 16 and not exact
        )
        if through_float:
            # Metal's precise functions take float
            args = [printer.cast(a, F32) if a.ctype == operand else a for a in args]
        if e.fn in dialect.helper_math and not (fn.fast and scalar != F32):
            unsigned = printer.types.name(ops.widened(scalar)) if scalar.is_integer else ""
            taken = F32 if through_float else operand
            context = {"type": printer.types.name(taken), "unsigned": unsigned, "scalar": scalar}
            name = self._helper(f"gp_{e.fn}", suffix(taken), dialect.helper_math[e.fn], **context)
        elif e.fn in dialect.math and not (fn.fast and scalar != F32):
            name = dialect.math[e.fn]
        else:
            raise refuse("GP2006", f"{dialect.title} has no {e.fn} for {operand}", e.loc or printer.loc)
        text = f"{name}({', '.join(a.text for a in args)})"
        if through_float and fn.result == "same" and isinstance(e.type, Scalar):
            return printer.cast(Text(text, POSTFIX, F32), e.type)
        return self._math_result(text, e, fn, operand)

    def _typed_math(self, e: n.MathCall, t: Scalar, args: Sequence[Text]) -> Text | None:
        """A function that is spelled by its operands' type; None where the dialect spells it otherwise."""
        table, texts = self._dialect.typed_math, [a.text for a in args]
        name = table.get((e.fn, t.name))
        if name is not None:
            span = (0, t.bits) if MATH[e.fn].result == "i32" else None
            return Text(f"{name}({', '.join(texts)})", POSTFIX, e.type, span)
        twin = Scalar(f"u{t.bits}", "uint", t.bits)
        if not (t.signed and (e.fn, twin.name) in table):
            return None
        name, printer = table[e.fn, twin.name], self._print
        cast = ", ".join(printer.cast(a, twin).text for a in args)
        return printer.cast(Text(f"{name}({cast})", POSTFIX, twin), t)

    def _math_result(self, text: str, e: n.MathCall, fn: MathFn, operand: Type) -> Text:
        """The text with the type that the destination's compiler gives the call."""
        if fn.result == "bool":
            return Text(text, POSTFIX, BOOL)
        if not isinstance(operand, Scalar):
            return Text(text, POSTFIX, e.type)
        if fn.result == "i32":
            own_type = e.fn in self._dialect.helper_math or self._dialect.counts_are_int
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
        if isinstance(e.type, Vector) and self._dialect.componentwise:
            lane = n.Convert(e.lane, U32, True) if e.lane.type != U32 else e.lane
            stem = f"shfl_{e.kind}" + ("" if width == 32 else f"_{width}")
            part = dataclasses.replace(e, type=e.type.elem, width=width)
            if e.mask is not None:
                args = (e.value, lane, e.mask)
                return printer.by_component(
                    stem + "_of", e, args, lambda a: dataclasses.replace(part, value=a[0], lane=a[1], mask=a[2])
                )
            return printer.by_component(
                stem, e, (e.value, lane), lambda a: dataclasses.replace(part, value=a[0], lane=a[1])
            )
        value = printer.exact(e.value)
        if lanes.segments and isinstance(e.type, Scalar):
            lane = printer.index(e.lane)
            inside = lane.range is not None and lane.range[0] >= 0 and lane.range[1] < width
            if inside or lanes.any_lane or e.undefined:
                shown = "" if width == lanes.hardware_width else f", {width}"
                mask = self.lane_mask(e.mask, e.loc)
                text = lanes.segments[e.kind].format(value=value.text, lane=lane.text, width=shown, mask=mask)
                return Text(text, POSTFIX, e.type)
        self.lane_mask(e.mask, e.loc)
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
            text = lanes.direct[e.kind].format(value=value, mask=self.lane_mask(e.mask, e.loc))
            return Text(text, POSTFIX, lanes.vote_types.get(e.kind, e.type))
        if e.mask is not None or e.kind == "active":
            raise refuse("GP1108", f"a vote of {width} lanes with a mask", e.loc or printer.loc)
        printer.helpers.extension(*lanes.extensions)
        printer.use(*lanes.passes)
        name = f"gp_{e.kind}" + ("" if width == 32 else f"_{width}")
        printer.helpers.need(name, lanes.vote, function=name, kind=e.kind, width=width, type=printer.types.name(e.type))
        return Text(f"{name}({', '.join((value, *lanes.passes))})", POSTFIX, e.type)

    def lane_mask(self, mask: n.Expr | None, loc: n.Loc | None) -> str:
        """The mask of a subgroup operation: the author's or that of all lanes; empty in languages without masks."""
        full = self._dialect.full_mask
        if mask is None:
            return full
        if not full:
            raise refuse("GP1108", f"{self._dialect.title} has no masks of lanes", loc or self._print.loc)
        return self._print.exact(mask).text

    def _lanes(self, what: str, e: n.Shuffle | n.Vote) -> LaneForm:
        lanes = self._dialect.lanes
        width = e.width or self._print.width
        where = e.loc or self._print.loc
        if lanes is None:
            raise refuse("GP2006", f"{self._dialect.title} on this device has no subgroup {what}", where)
        if not lanes.lane_scratch and width > lanes.hardware_width:
            raise refuse("GP2006", f"a {what} of {width} lanes; subgroups here have {lanes.hardware_width}", where)
        return lanes

    def atomic(self, e: n.Atomic, *, taken: bool = True) -> Text:
        """An atomic operation: the language's function or a helper, by type and space; `taken`: its value is used."""
        printer, dialect = self._print, self._dialect
        pointer = e.pointer.type
        if not isinstance(pointer, Pointer):
            raise TypeError("an atomic on no pointer")
        for form in dialect.atomics:
            if e.type.name not in form.types or e.op not in form.ops or pointer.space not in form.spaces:
                continue
            if form.blind and taken:
                continue
            printer.helpers.extension(*form.extensions)
            plain = e.pointer
            if not dialect.volatile_atomics and _volatile(plain):
                plain = n.PointerCast(plain, dataclasses.replace(pointer, volatile=False))
            pointed, given = printer.value(plain), printer.exact(e.value)
            p, v = pointed.text, given.text
            compared = printer.exact(e.expected) if e.expected is not None else given
            expected = compared.text if e.expected is not None else ""
            if form.text:
                p_, v_, e_ = (
                    f"({t.text})" if t.prec < UNARY or t.text.startswith("-") else t.text
                    for t in (pointed, given, compared)
                )
                block = "_block" if e.scope is n.Scope.GROUP else ""
                text = form.text.format(op=form.ops[e.op], p=p, v=v, e=expected, p_=p_, v_=v_, e_=e_, block=block)
                return Text(text, POSTFIX, SCALARS[form.gives] if form.gives else e.type)
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


def _volatile(pointer: n.Expr) -> bool:
    """Tell whether a pointer was made from one to volatile memory."""
    types = (getattr(x, "type", None) for x in walk(pointer))
    return any(isinstance(t, Pointer) and t.volatile for t in types)
