"""Conversions between vector types, which Metal writes as casts and clang refuses: clang says where they are.

`(float4)h` of a half4 converts each lane in Metal; in clang's C++ it is a cast between vectors of different size.
Before the text is read each such cast becomes a call of `gp_cast<float4>(h)` (declared in gpuport_metal.h).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .copies import mended, offset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..clang.tool import Message

_REFUSED = re.compile(
    r"(?:C-style cast)? from vector .* of different size|static_cast from '.*vector of .* not allowed"
)
_MAY_CAST = re.compile(r"\btemplate\b|\bstatic_cast\b|\(\s*\w+[234]\s*\)\s*[\w(]")


def with_casts(text: str, flags: Sequence[str]) -> str:
    """Return the text with the casts that clang refuses spelled as calls; other errors are left to the reader."""
    if not _MAY_CAST.search(text):
        return text
    return mended(text, [*flags, "-fdiagnostics-print-source-range-info"], _as_calls)


def _as_calls(text: str, messages: Sequence[Message]) -> str:
    found = {m.ranges for m in messages if m.ranges and _REFUSED.match(m.text)}
    places = [[tuple(offset(text, *at) for at in span) for span in spans] for spans in found]
    for spans in sorted(places, reverse=True):  # from the end, so that the places before it stay
        text = _called(text, spans[0], spans[-1])
    return text


def _called(text: str, whole: tuple[int, ...], operand: tuple[int, ...]) -> str:
    """The text with the cast at `whole` (from, to) of what stands at `operand` as a call."""
    cast = text[whole[0] : whole[1]]
    if cast.startswith("static_cast"):
        return f"{text[: whole[0]]}gp_cast{text[whole[0] + len('static_cast') :]}"
    written = re.match(r"\(([^()]*)\)", cast)
    if written is not None and operand != whole:
        return f"{text[: whole[0]]}gp_cast<{written[1].strip()}>({text[slice(*operand)]}){text[operand[1] :]}"
    named = re.match(r"(\w+)\s*\(", cast)
    if named is not None and cast.endswith(")"):
        return f"{text[: whole[0]]}gp_cast<{named[1]}>({text[whole[0] + named.end() :]}"
    return text
