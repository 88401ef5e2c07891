"""How accurate each language's math functions are, single precision: what a port may differ by, function by function.

Maximum errors in ulp, from verification.md §2.5. OpenCL: required by the OpenCL C specification, full profile. Metal:
precise forms, Metal Shading Language specification (recalled, not kept), and our own helpers where MSL has no such
function. CUDA: the documented maxima, which are the defaults of `BoundsDomain`. HIP: its library is OpenCL's (OCML), so
OpenCL's bounds. Functions whose fast form the author chose keep the source's own budget everywhere: a port is never
less accurate than its source may be.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

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
