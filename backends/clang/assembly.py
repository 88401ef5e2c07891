"""Inline assembly: the statement taken apart, and given to the language's table of instructions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...ir.diagnostics import refuse
from ...ir.nodes import Assign, Block, Const, Declare
from ...ir.types import U32

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ...ir.nodes import Expr, Loc, Stmt
    from .context import FunctionContext
    from .records import Node

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: its inputs, lowered, the first output where there is one, and its place."""

    inputs: tuple[Expr, ...]
    output: Expr | None
    loc: Loc | None


def lower_assembly(
    fc: FunctionContext, node: Node, loc: Loc | None, table: Mapping[str, Callable[..., Expr | Stmt | None]]
) -> list[Stmt]:
    """Lower an `asm` statement whose text is in the table; else refuse it (GP1101) with the text."""
    from .calls import coerce
    from .expr import lower_expr

    source = _source(fc, node)
    if "(" not in source or ")" not in source:
        raise refuse("GP1101", "inline assembly of this form is not supported", loc)
    text, outputs, inputs = _parts(source)
    operands = [lower_expr(fc, c) for c in node.get("inner", ())]
    if len(operands) != outputs + inputs:
        raise refuse("GP1101", "inline assembly of this form is not supported", loc)
    taken = tuple(operands[outputs:])
    handler = table.get(text)
    if handler is None and outputs <= 1:
        shape, taken = _in_order(text, outputs, taken, loc)
        handler = table.get(shape)
    if handler is None and not operands and ";" in text:  # one after the other
        return _several([t.strip() for t in text.split(";")], fc, loc, table)
    if handler is None:
        raise refuse("GP1101", f"the inline assembly {text!r} is not supported", loc)
    target = operands[0] if outputs else None
    result = handler(fc, Instruction(taken, target, loc))
    if result is None:
        return []
    if target is not None and hasattr(result, "type"):
        value: Expr = result  # pyright: ignore[reportAssignmentType]
        if outputs != 1:
            raise refuse("GP1101", f"the inline assembly {text!r} with several outputs", loc)
        value = coerce(value, target.type)
        if value.type != target.type:
            from .operators import numeric

            if value.type.size != target.type.size:  # pyright: ignore[reportAttributeAccessIssue]
                raise refuse("GP1101", f"the inline assembly {text!r} into a {target.type}", loc)
            value = numeric(value, target.type, True, loc)  # pyright: ignore[reportArgumentType]
        return [Assign(target, value, loc=loc)]
    if isinstance(result, Block) and not any(isinstance(s, Declare) for s in result.body):
        return list(result.body)
    return [result]  # pyright: ignore[reportReturnType]


def _several(
    texts: list[str], fc: FunctionContext, loc: Loc | None, table: Mapping[str, Callable[..., Expr | Stmt | None]]
) -> list[Stmt]:
    """Lower instructions without operands."""
    for text in texts:
        if text not in table or "%" in text:
            raise refuse("GP1101", f"the inline assembly {text!r} is not supported", loc)
    found = [table[text](fc, Instruction((), None, loc)) for text in texts]
    return [s for s in found if s is not None]  # pyright: ignore[reportReturnType]


def _in_order(text: str, outputs: int, inputs: tuple[Expr, ...], loc: Loc | None) -> tuple[str, tuple[Expr, ...]]:
    """The text with its inputs numbered as they stand there, integers written in it among them."""
    opcode, _, rest = text.partition(" ")
    shape: list[str] = []
    taken: list[Expr] = []
    for operand in rest.split(", "):
        number = re.fullmatch(r"%(\d+)", operand)
        literal = re.fullmatch(r"0[xX][0-9a-fA-F]+U?|\d+U?", operand)
        if number and int(number[1]) < outputs:
            shape.append(operand)
        elif number and int(number[1]) - outputs < len(inputs):
            taken.append(inputs[int(number[1]) - outputs])
            shape.append(f"%{outputs + len(taken) - 1}")
        elif literal and int(operand.rstrip("U"), 0) <= 0xFFFFFFFF:
            taken.append(Const(int(operand.rstrip("U"), 0), U32, loc=loc))
            shape.append(f"%{outputs + len(taken) - 1}")
        else:
            return text, inputs
    return f"{opcode} {', '.join(shape)}", tuple(taken)


def _source(fc: FunctionContext, node: Node) -> str:
    """The statement as it is written, in a macro's definition where it stands in one."""
    begin, end = (node["range"][k].get("spellingLoc", node["range"][k]) for k in ("begin", "end"))
    if "offset" not in begin or begin.get("file") != end.get("file"):
        return ""
    return fc.unit.text(begin["file"])[begin["offset"] : end["offset"] + end["tokLen"]].decode(errors="replace")


def _parts(source: str) -> tuple[str, int, int]:
    """The instruction's text in normal form, and how many outputs and inputs the statement has."""
    body = source[source.index("(") + 1 : source.rindex(")")].replace("\\\n", "\n")
    sections, depth, quoted, current = [], 0, False, ""
    previous = ""
    for c in body:
        if c == '"' and previous != "\\":
            quoted = not quoted
        depth += 0 if quoted else (c in "([") - (c in ")]")
        if c == ":" and not quoted and depth == 0:
            sections.append(current)
            current = ""
        else:
            current += c
        previous = c
    sections.append(current)
    text = "".join(m[1] for m in _STRING.finditer(sections[0]))
    text = text.replace("\\n", " ").replace("\\t", " ").replace("%%", "%")
    text = re.sub(r"\s+", " ", text.replace("{", " ").replace("}", " ")).strip().rstrip(";").strip()
    text = re.sub(r"\s*,\s*", ", ", text)
    counts = [len(re.findall(r'"[^"]*"\s*\(', s)) for s in sections[1:3]]
    outputs, inputs = [*counts, 0, 0][:2]
    return text, outputs, inputs
