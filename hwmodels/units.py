"""Quantities with units: parsing what model files say, and printing values for people.

Each dimension has one canonical unit, in which all values are stored: B, B/s, B/clk, Hz, s, cycle, op/clk, op/s,
bit, thread, lane, group, subgroup, reg32 and count. Decimal prefixes are powers of 1000, binary ones (Ki, Mi, ...)
powers of 1024 (IEC 80000-13).
"""

from __future__ import annotations

import math
import re
from typing import Final

Scalar = int | float | bool | str
Value = Scalar | tuple[Scalar, ...]

UNLIMITED: Final = math.inf
"""Value of a limit that does not exist ("unlimited" in a file)."""

_DECIMAL: Final = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}
_BINARY: Final = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
COUNT_NOUNS: Final = (
    *("count", "SM", "CU", "WGP", "XCD", "core", "SIMD", "scheduler", "XVE", "unit", "bank", "barrier", "grid"),
    *("buffer", "texture", "instance"),
)
"""Nouns that a plain count may carry; they are kept for printing and change nothing else."""


def _table() -> dict[str, tuple[str, float]]:
    table: dict[str, tuple[str, float]] = {}
    for unit in ("B/s", "Hz", "op/s", "bit/s"):
        table.update({prefix + unit: (unit, factor) for prefix, factor in _DECIMAL.items()})
    table.update({prefix + "B": ("B", factor) for prefix, factor in _BINARY.items()})
    table.update({prefix + "B/s": ("B/s", factor) for prefix, factor in _BINARY.items()})
    table.update({"B": ("B", 1), "GB": ("B", 10**9), "TB": ("B", 10**12)})
    table.update({"s": ("s", 1), "ms": ("s", 1e-3), "us": ("s", 1e-6), "ns": ("s", 1e-9)})
    table.update(
        {u: (u, 1) for u in ("cycle", "op/clk", "B/clk", "bit", "thread", "lane", "group", "subgroup", "reg32")}
    )
    table.update(dict.fromkeys(COUNT_NOUNS, ("count", 1)))
    return table


UNITS: Final = _table()
"""Unit as written in a file -> (canonical unit, factor)."""

CANONICAL: Final = tuple(dict.fromkeys(unit for unit, _ in UNITS.values()))
_QUANTITY: Final = re.compile(r"\s*([-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([A-Za-z].*?)\s*$")


class UnitError(ValueError):
    """Text that is not a quantity, or a quantity of another dimension."""


def parse_unit(text: str, expected: str) -> tuple[float, str]:
    """Factor to the canonical unit `expected`, and the noun to print (empty unless a count has one)."""
    if text in ("KB", "MB", "kB"):
        raise UnitError(f"{text} is ambiguous: write {text[0].upper()}iB (powers of 1024) or the number of B")
    singular = text if text in UNITS else text.removesuffix("s")
    if singular not in UNITS:
        known = ", ".join(u for u, (canonical, _) in UNITS.items() if canonical == expected)
        raise UnitError(f"unknown unit {text!r}; expected one of {known}")
    canonical, factor = UNITS[singular]
    if canonical != expected:
        raise UnitError(f"wrong unit {text!r}; expected {expected}")
    return factor, singular if canonical == "count" and singular != "count" else ""


def scale(number: float, factor: float) -> int | float:
    """`number * factor` as an int where that is exact."""
    product = number * factor
    if math.isfinite(product) and abs(product - round(product)) <= 1e-9 * abs(product):
        return round(product)
    return product


def parse_quantity(text: str, expected: str) -> tuple[int | float, str]:
    """Value in canonical `expected` units, and the count's noun. "unlimited" is infinity.

    Raises UnitError naming what was expected.
    """
    if text == "unlimited":
        return UNLIMITED, ""
    match = _QUANTITY.match(text)
    if match is None:
        raise UnitError(f"{text!r} is no quantity; expected a number and a unit ({expected})")
    factor, noun = parse_unit(match[2], expected)
    number = float(match[1].replace("_", "")) if re.search(r"[.eE]", match[1]) else int(match[1].replace("_", ""))
    return scale(number, factor), noun


def _short(number: float) -> str:
    if number == int(number) and abs(number) < 1e15:
        return f"{int(number):,}" if abs(number) >= 10_000 else str(int(number))
    return f"{number:.4g}" if abs(number) < 1000 else f"{number:.1f}"


def _bytes(value: float) -> str:
    for prefix, factor in reversed(_BINARY.items()):
        scaled = value / factor
        if scaled >= 1 and round(scaled, 1) == scaled and scaled < 10_000:
            return f"{_short(scaled)} {prefix}B"
    return _prefixed(value, "B") if value >= 1e9 else f"{_short(value)} B"


def _prefixed(value: float, unit: str) -> str:
    """Decimal prefix up to T, which is how peaks and bandwidths are quoted."""
    for prefix, factor in (("T", 10**12), ("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if abs(value) >= factor:
            return f"{_short(round(value / factor, 6))} {prefix}{unit}"
    return f"{_short(value)} {unit}"


def _seconds(value: float) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if value >= factor:
            return f"{value / factor:.4g} {unit}"
    return f"{value / 1e-9:.4g} ns"


def show_scalar(value: Scalar, unit: str, noun: str = "", ops: str = "OP") -> str:
    """One value for people: `show_scalar(49152, "B")` is "48 KiB". `ops` names the operation of op/s (FLOP or OP)."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if value == UNLIMITED:
        return "unlimited"
    match unit:
        case "B":
            return _bytes(value)
        case "B/s" | "bit/s":
            return _prefixed(value, unit)
        case "op/s":
            return _prefixed(value, f"{ops}/s")
        case "Hz":
            return f"{_short(round(value / 1e6, 6))} MHz"
        case "s":
            return _seconds(value)
        case "thread" | "lane" | "group" | "subgroup" | "cycle":
            return f"{_short(value)} {unit}" + ("" if value == 1 else "s")
        case "count":
            return f"{_short(value)} {noun}".rstrip() + ("s" if noun.islower() and value != 1 else "")
        case _:
            return f"{_short(value)} {unit}".rstrip()


def show_value(value: Value | None, unit: str, noun: str = "", ops: str = "OP") -> str:
    """A value or a list of values for people; None is "unknown"."""
    if value is None:
        return "unknown"
    if not isinstance(value, tuple):
        return show_scalar(value, unit, noun, ops)
    if unit in ("text", "shape", "bool"):
        return ", ".join(show_scalar(v, unit) for v in value)
    if unit == "B":
        return ", ".join(show_scalar(v, unit) for v in value)
    joined = " x ".join(str(v) for v in value) if len(value) == 3 else ", ".join(str(v) for v in value)
    return f"{joined} {noun or unit}" + ("s" if unit in ("thread", "lane", "group", "subgroup") else "")
