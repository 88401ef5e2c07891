"""The math functions of the IR: one row each, the same names for every language.

A dialect's table maps these names to its own spelling; a name that a dialect's table lacks is refused there.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MathFn:
    """`arity` operands; `domain` is float, int (signed or unsigned) or any; `fast` marks a reduced-accuracy form.

    `result` is "same" (the operands' type), "i32" or "bool"; `int_last` marks an integer last operand (ldexp).
    """

    arity: int
    domain: str = "float"
    result: str = "same"
    fast: bool = False
    int_last: bool = False


def _floats(names: str, arity: int, *, fast: bool = False) -> dict[str, MathFn]:
    return {n: MathFn(arity, fast=fast) for n in names.split()}


MATH: dict[str, MathFn] = {
    **_floats(
        "exp exp2 exp10 expm1 log log2 log10 log1p sqrt rsqrt cbrt sin cos tan asin acos atan sinh cosh tanh asinh "
        "acosh atanh erf erfc floor ceil trunc round rint fabs recip",
        1,
    ),
    **_floats("pow fmod fmin fmax fdim atan2 hypot copysign", 2),
    **_floats("fma", 3),
    # fast_exp is __expf and so on: an approximation with a bound of its own, which stays fast in a port
    **_floats("fast_exp fast_exp2 fast_exp10 fast_log fast_log2 fast_log10 fast_sin fast_cos fast_tan", 1, fast=True),
    **_floats("fast_divide fast_pow", 2, fast=True),
    "isnan": MathFn(1, result="bool"),
    "isinf": MathFn(1, result="bool"),
    "isfinite": MathFn(1, result="bool"),
    "signbit": MathFn(1, result="bool"),
    "ldexp": MathFn(2, int_last=True),
    "min": MathFn(2, domain="int"),
    "max": MathFn(2, domain="int"),
    "abs": MathFn(1, domain="int"),
    "mulhi": MathFn(2, domain="int"),
    "popcount": MathFn(1, domain="int", result="i32"),
    "clz": MathFn(1, domain="int", result="i32"),
    "ffs": MathFn(1, domain="int", result="i32"),
    "brev": MathFn(1, domain="int"),
}

# the functions that C's math library, and with it every C-like language, calls by these same names
C_NAMES: tuple[str, ...] = tuple(n for n, f in MATH.items() if f.domain == "float" and not f.fast and n != "recip")
