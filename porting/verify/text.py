"""What a candidate's text may not hold: anything by which its judge could read another program than its device.

A candidate for a device that is not here is judged as our reader sees it, and the device's compiler defines other
macros. So a text has no conditional but those that the writers emit, no file of the machine's, no predefined macro and
no name pasted together, no trigraph, no pragma by which a compiler may change the arithmetic, no second name for
a function, and no character that shows a reader another order or other lines than a compiler sees.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .gates import Said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...backends.base import KernelText

_HEADERS: Final = re.compile(
    r"<(metal_\w+|cuda_\w+\.h|mma\.h|cooperative_groups(/\w+)?\.h|hip/\w+\.h|rocwmma/rocwmma\.hpp)>"
)
_DEFAULTS: Final = re.compile(r"(INFINITY|NAN|__HIPCC_RTC__)")
"""Names that the writers define where a compiler does not: the same value everywhere, or an include of its own."""
_PLAIN: Final = frozenset(("define", "undef", "endif", ""))
_PRAGMAS: Final = re.compile(
    r"(no)?unroll\b.*|OPENCL EXTENSION \w+ ?: ?enable|(OPENCL|STDC) FP_CONTRACT (ON|OFF)|clang loop \w+\(\w+\)"
    r"|(clang|METAL) fp contract\((on|off)\)"
)
_KEYWORDS: Final = frozenset(
    "__attribute__ __global__ __device__ __shared__ __constant__ __host__ __forceinline__ __noinline__ "
    "__launch_bounds__ __align__ __restrict__ __inline__ __volatile__ __asm__ __grid_constant__ __cluster_dims__ "
    "__ATOMIC_RELAXED __ATOMIC_ACQUIRE __ATOMIC_RELEASE __ATOMIC_ACQ_REL __ATOMIC_SEQ_CST".split()
)
_MACRO: Final = re.compile(
    r"\b(__\w+__|__[A-Z][A-Z0-9_]*|cl(?:es)?_(?:khr|ext|intel|amd|nv|arm)_\w+|__opencl_c_\w+"
    r"|CL_VERSION_\w+|__has_\w+)\b"
)
_TOKEN: Final = re.compile(
    r'(?P<odd>\w\'|(?<!\w)(?:u8|[uUL])?R")|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL
)
_DIGRAPH: Final = "%:"
_SPELLINGS: Final = (
    (re.compile(r"\?\?[=/'()!<>-]"), "a trigraph, which some compilers read and some do not"),
    (re.compile(r"[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"), "an invisible character"),
    (re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85]|\r(?!\n)"), "a control character"),
)
_CODE: Final = (
    (re.compile("\x01"), "a quotation mark that not every compiler ends at the same place"),
    (re.compile(r"##"), "a name pasted together"),
    (re.compile(r"\b_Pragma\b"), "a pragma in an operator"),
    # `asm volatile (...)` is an instruction, which the readers judge; behind a declarator it is another name
    (re.compile(r"\)\s*(__asm__|__asm|asm)\s*\("), "another name for a function"),
)


def gate_text(text: KernelText) -> Said:
    """Refute a text that may compile to another program elsewhere, with the first line that does so."""
    for where, part in (("the header, ", text.header), ("", text.source)):
        for line, why in _suspects(part):
            return Said("refuted", f"{where}line {line}: {why}: the device may compile another program than was judged")
    return Said("tested")


def _suspects(source: str) -> Iterator[tuple[int, str]]:
    for pattern, why in _SPELLINGS:
        if found := pattern.search(source):
            yield source.count("\n", 0, found.start()) + 1, why
    source = source.replace(_DIGRAPH, "#")
    number = 1
    for logical in _bare(source).split("\n"):
        line = logical.replace("\x00", "")
        directive = re.match(r"\s*#\s*(\w*)\s*(.*)", line)
        if directive is not None and (why := _forbidden(directive[1], directive[2].strip())):
            yield number, why
        yield from ((number, why) for pattern, why in _CODE if pattern.search(line))
        if directive is None or directive[1] not in ("pragma", "ifndef"):
            yield from ((number, f"the macro {m}") for m in _MACRO.findall(line) if m not in _KEYWORDS)
        number += 1 + logical.count("\x00")


def _forbidden(name: str, rest: str) -> str:
    if name in _PLAIN or (name == "pragma" and _PRAGMAS.fullmatch(" ".join(rest.split()))):
        return ""
    if name == "include" and _HEADERS.fullmatch(rest):
        return ""
    if name == "ifndef" and _DEFAULTS.fullmatch(rest):
        return ""
    return f"#{name} {rest}".strip()


def _bare(source: str) -> str:
    """The text with comments and literals blanked, and continued lines joined (a NUL for each end of line in them)."""
    joined = re.sub(r"\\[ \t]*\r?\n", "\x00", source)

    def blank(found: re.Match[str]) -> str:
        text = found[0]
        if found["odd"]:  # 1'000 and R"(...)": behind them a comment could begin for one reader only
            return "\x01"
        if not text.startswith("/"):
            return '""' + "\x00" * text.count("\x00")
        return " " + "\x00" * text.count("\x00") + "\n" * text.count("\n")

    return _TOKEN.sub(blank, joined)
