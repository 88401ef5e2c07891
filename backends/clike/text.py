"""Pieces of emitted text: an expression with its precedence and C type, comments, wrapped lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...ir.types import Type

WIDTH = 120
INDENT = "    "

PRIMARY, POSTFIX, UNARY = 17, 16, 15
TERNARY, OR, AND = 3, 4, 5
ASSIGNMENT = 2
PRECEDENCE: dict[str, int] = {
    **dict.fromkeys(("*", "/", "%"), 13),
    **dict.fromkeys(("+", "-"), 12),
    **dict.fromkeys(("<<", ">>"), 11),
    **dict.fromkeys(("<", "<=", ">", ">="), 10),
    **dict.fromkeys(("==", "!="), 9),
    "&": 8,
    "^": 7,
    "|": 6,
    "&&": AND,
    "||": OR,
}
COMPARISONS = frozenset({"<", "<=", ">", ">=", "==", "!="})


@dataclass(frozen=True, slots=True)
class Text:
    """A printed expression.

    `ctype` is the type that the destination's compiler gives it. Where that is not the IR's type, one conversion to the
    IR's type gives the IR's value. `range` bounds the value of an integer expression that is known not to wrap.
    """

    text: str
    prec: int
    ctype: Type
    range: tuple[int, int] | None = None


def enclose(text: Text, prec: int) -> str:
    """The text, in parentheses if it binds weaker than `prec`."""
    return f"({text.text})" if text.prec < prec else text.text


def comment_lines(comment: str) -> list[str]:
    """An author's comment as `//` lines or as the block comment it was, without what would eat the next line."""
    text = comment.strip()
    if text.startswith("/*") and text.endswith("*/") and "*/" not in text[2:-2]:
        first, *rest = text.splitlines()
        return [_safe(first), *(" " + _safe(line.strip()) for line in rest)]
    lines = text.replace("*/", "* /").replace("/*", "/ *").splitlines() or [""]
    return [_safe("// " + line.strip().removeprefix("//").strip()).rstrip() for line in lines]


def _safe(line: str) -> str:
    # a backslash at the end (??/ is its trigraph) would join the next line to the comment
    line = line.rstrip().replace("??/", "? ?/")
    return line + " ." if line.endswith("\\") else line


def wrap(line: str) -> list[str]:
    """Break a line of code that is too long at blanks, where the fewest parentheses are open."""
    lines: list[str] = []
    indent = line[: len(line) - len(line.lstrip())]
    hang = indent + INDENT
    while len(line) > WIDTH:
        cut = _best_cut(line)
        if cut is None:
            break
        lines.append(line[:cut].rstrip())
        line = hang + line[cut:].lstrip()
    return [*lines, line]


def _best_cut(line: str) -> int | None:
    start = len(line) - len(line.lstrip())
    depth, best, best_depth = 0, None, 0
    for i, c in enumerate(line[:WIDTH]):
        if c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        elif c == " " and i > start + 30 and _breakable(line, i) and (best is None or depth <= best_depth):
            best, best_depth = i, depth
    return best


def _breakable(line: str, i: int) -> bool:
    if line[i - 1] in ",;":
        return True
    operator = line[i + 1 :].split(" ", 1)[0]
    return operator in PRECEDENCE or operator in ("?", ":")


def wrap_comment(line: str, indent: str) -> list[str]:
    """Break a `//` comment that is too long between words."""
    if len(indent) + len(line) <= WIDTH or not line.startswith("//"):
        return [indent + line]
    lines, current = [], "//"
    for word in line.removeprefix("//").split():
        if len(indent) + len(current) + 1 + len(word) > WIDTH and current != "//":
            lines.append(indent + current)
            current = "//"
        current += " " + word
    return [*lines, indent + current]


def comment_block(comments: Iterable[str], indent: str) -> list[str]:
    """Several comments, each on lines of its own."""
    out: list[str] = []
    for comment in comments:
        for line in comment_lines(comment):
            out.extend(wrap_comment(line, indent))
    return out
