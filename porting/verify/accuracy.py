"""How accurate each language's math functions are, single precision: what a port may differ by, function by function.

Maximum errors in ulp, from verification.md §2.5. OpenCL: required by the OpenCL C specification, full profile. Metal:
precise forms, Metal Shading Language specification (recalled, not kept), and our own helpers where MSL has no such
function. CUDA: the documented maxima, which are the defaults of `BoundsDomain`. HIP: its library is OpenCL's (OCML), so
OpenCL's bounds. Functions whose fast form the author chose keep the source's own budget everywhere: a port is never
less accurate than its source may be.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ...backends.readers import read_text
from ...hwmodels.errors import GpuportError
from ...ir import nodes as ir
from ...ir.mathlib import MATH
from ...ir.walk import walk
from .gates import Said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...backends.base import KernelText

_OPENCL: Final = {
    "/": 2.5, "recip": 2.5, "sqrt": 3.0, "rsqrt": 2.0, "exp": 3.0, "exp2": 3.0, "exp10": 3.0, "expm1": 3.0,
    "log": 3.0, "log2": 3.0, "log10": 3.0, "log1p": 2.0, "sin": 4.0, "cos": 4.0, "tan": 5.0, "tanh": 5.0,
    "sinh": 4.0, "cosh": 4.0, "asinh": 4.0, "acosh": 4.0, "atanh": 5.0, "pow": 16.0, "erf": 16.0, "erfc": 16.0,
    "asin": 4.0, "acos": 4.0, "atan": 5.0, "atan2": 6.0, "cbrt": 2.0, "hypot": 4.0,
}  # fmt: skip

_METAL: Final = {
    "rsqrt": 1.0, "exp": 4.0, "exp2": 4.0, "exp10": 4.0, "log": 4.0, "log2": 4.0, "log10": 4.0, "sin": 4.0,
    "cos": 4.0, "tan": 6.0, "sinh": 4.0, "cosh": 4.0, "tanh": 5.0, "asinh": 4.0, "acosh": 4.0, "atanh": 5.0,
    "pow": 16.0, "asin": 4.0, "acos": 4.0, "atan": 5.0, "atan2": 6.0,
    # our own helpers, over MSL's 4 ulp exp and log: measured in tests/backends/metal/test_metal_math.py
    "erf": 3.0, "erfc": 12.0, "expm1": 2.0, "log1p": 6.0, "cbrt": 1.0, "hypot": 2.0,
}  # fmt: skip

# division and roots are correctly rounded by default (clang's -fhip-fp32-correctly-rounded-divide-sqrt)
_HIP: Final = {name: ulp for name, ulp in _OPENCL.items() if name not in ("/", "recip", "sqrt")}

ULPS: Final[Mapping[str, Mapping[str, float]]] = MappingProxyType(
    {"opencl": _OPENCL, "metal": _METAL, "cuda": {}, "hip": _HIP}
)
"""By language: maximum error in ulp of each function of `ir.mathlib`, of "/" and of "sqrt"; laid over CUDA's."""


_VAGUE: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        # read back as the accurate function, since the IR knows no fast form of these
        "opencl": re.compile(r"\b(native_(?:sqrt|rsqrt|recip)|half_(?:divide|powr|recip|[a-z]+\d*))\s*\("),
        # which form the plain name means is an option of the compiler
        "metal": re.compile(
            r"(?<!precise::)(?<!fast::)\b((?:a?(?:sin|cos|tan)h?|exp(?:2|10)?|log(?:2|10)?|powr?|r?sqrt))\s*\("
            r"|\b(fast::(?:sqrt|rsqrt|fmin|fmax|a(?:sin|cos|tan)\w*|(?:sin|cos|tan)h))\s*\("
        ),
    }
)
"""By language: functions whose accuracy the text leaves open."""


def gate_accuracy(text: KernelText, source: ir.Program) -> Said | None:
    """Refute a candidate that computes with a fast function which the source does not; None where it cannot be read.

    On an emulated device, and on many a real one, a fast function gives what the accurate one does, so that no value
    shows the difference.
    """
    vague = _VAGUE.get(text.language)
    for part in (text.header, text.source):
        bare = re.sub(r"//[^\n]*|/\*.*?\*/", " ", part, flags=re.DOTALL)
        if vague is not None and (found := vague.search(bare)):
            name = next(g for g in found.groups() if g)
            return Said("refuted", f"{name} may be less accurate on the device than the source's function")
    try:
        program = read_text(text)
    except GpuportError:
        return None  # the gate `compiles` tells why
    return judge_functions(program, source)


def judge_functions(program: ir.Program, source: ir.Program) -> Said:
    """Refute a program that computes with a fast function which the source does not."""
    if new := sorted(_fast(program) - _fast(source)):
        names = ", ".join(n.removeprefix("fast_") for n in new)
        return Said("refuted", f"the fast form of {names}, of which the source has the accurate one or none")
    return Said("tested", "no function is less accurate than the source's")


def _fast(program: ir.Program) -> set[str]:
    nodes = [n for f in (*program.functions, program.kernel) for n in walk(f)]
    return {n.fn for n in nodes if isinstance(n, ir.MathCall) and MATH[n.fn].fast}
