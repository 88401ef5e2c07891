"""Copies of structs between address spaces, which Metal has and C++ has not: clang says where they are.

Metal copies a struct from device memory to a variable as any other value. In clang's C++ the constructor and the
assignment take objects without an address space only, so before the text is read each such copy becomes a call of
`gp_load` or `gp_store` (declared in gpuport_metal.h), and a threadgroup variable is declared `extern`, unconstructed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..clang.tool import diagnose

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..clang.tool import Message

ROUNDS = 20
_OPEN, _CLOSE = "([{", ")]}"


def with_copies(text: str, flags: Sequence[str]) -> str:
    """Return the text with the copies that clang refuses spelled as calls; other errors are left to the reader."""
    if not re.search(r"\b(?:struct|union)\s", text):
        return text
    return mended(text, flags, _as_calls)


def mended(text: str, flags: Sequence[str], mend: Callable[[str, Sequence[Message]], str]) -> str:
    """Return the text after `mend` has seen what clang says of it, over and over until it changes nothing more."""
    for _ in range(ROUNDS):
        changed = mend(text, diagnose(text, ".metal.cpp", flags))
        if changed == text:
            break
        text = changed
    return text


def _as_calls(text: str, messages: Sequence[Message]) -> str:
    places = {
        offset(text, m.line, m.col): "no viable overloaded '='" in m.text
        for m in messages
        if m.severity == "error"
        and ("no viable overloaded '='" in m.text or "no matching constructor for initialization of" in m.text)
    }
    for at in sorted(places, reverse=True):
        text = _assignment(text, at) if places[at] else _construction(text, at)
    return text


def offset(text: str, line: int, col: int) -> int:
    """Return where a line and column of clang's, from 1, lie in a text."""
    at = 0
    for _ in range(line - 1):
        at = text.find("\n", at) + 1
    return at + col - 1


def _assignment(text: str, at: int) -> str:
    """`a = b;` with the operator at `at` becomes `gp_store(a, b);`."""
    if text[at : at + 1] != "=":
        return text
    start, depth = at, 0
    while start > 0:
        c = text[start - 1]
        if c in _CLOSE:
            depth += 1
        elif c in _OPEN:
            if depth == 0:
                break
            depth -= 1
        elif depth == 0 and c in " \n;" and text[start:at].strip():
            break
        start -= 1
    end = _end(text, at + 1, ";")
    return f"{text[:start]}gp_store({text[start:at].strip()}, {text[at + 1 : end].strip()}){text[end:]}"


def _construction(text: str, at: int) -> str:
    """Put the value at `at`, or the initialiser of the variable named there, into `gp_load(...)`."""
    variable = re.compile(r"(\w+)((?:\[\w+\])*)\s*(=|;)").match(text, at)
    if variable is not None and variable[3] == ";":
        line = text.rfind("\n", 0, at) + 1
        head = text[line:at]
        if "threadgroup" in head:
            return (
                text[:line]
                + head.replace("static threadgroup", "threadgroup").replace("threadgroup", "extern threadgroup", 1)
                + text[at:]
            )
    declared = variable is not None and variable[3] == "=" and text[variable.end() : variable.end() + 1] != "="
    start = variable.end() if variable is not None and declared else at
    end = _end(text, start, ",;")
    value = text[start:end].strip()
    if not value or value.startswith(("gp_load(", "{")):
        return text
    blank = " " if declared else ""
    return f"{text[:start]}{blank}gp_load({value}){text[end:]}"


def _end(text: str, start: int, stops: str) -> int:
    depth, end = 0, start
    while end < len(text):
        c = text[end]
        if c in _OPEN:
            depth += 1
        elif c in _CLOSE:
            if depth == 0:
                return end
            depth -= 1
        elif depth == 0 and c in stops:
            return end
        end += 1
    return end
