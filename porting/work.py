"""What a port does at one size, counted in emulation, and how much of it no machine can avoid."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from ..backends.emulator import EmulatorError, StepLimit
from ..backends.emulator.backend import EmulatorBackend
from ..backends.errors import ArgumentError
from .report.schema import CountsRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..backends.base import KernelText
    from ..hwmodels import Machine
    from .verify.oracle import Oracle
    from .verify.verify import Case

SECONDS: Final = 20.0
"""Counting may take so long; a port that takes longer has no counts."""

FREE: Final = frozenset(
    "fabs fmin fmax floor ceil trunc rint round copysign isnan isinf isfinite signbit ldexp".split()
)
"""Functions of floats that do not occupy the units whose peak rate a machine model states."""


def count_work(text: KernelText, case: Case, oracle: Oracle, machine: Machine) -> CountsRecord | None:
    """Run a port's text once on the emulated machine, and count; None where that takes too long or cannot be done."""
    from ..backends.readers import read_text
    from .spec.data import arguments

    args = arguments(oracle.kernel, case.sizes, oracle.inputs(case.sizes))
    try:
        counts = EmulatorBackend(read_text).compile(text, machine).count(case.launch, args, SECONDS)
    except (ArgumentError, EmulatorError, StepLimit):
        return None
    granule = machine.get("cache.sector", None) or machine.get("cache.line", None) or 0
    return CountsRecord(
        size=dict(case.sizes),
        counts=counts,
        granule=int(granule),
        subgroup=int(machine.get("execution.subgroup_width", 1)),
        lanes=case.launch.threads * math.prod(case.launch.grid),
    )


def float_operations(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the operations on floats by type: + - * / and most functions are one, an fma is two.

    That is as the port is written. A division or an exponential takes more on every machine, so that a time made of
    this is no more than what the arithmetic needs, unless a compiler finds some of it superfluous.
    """
    found: dict[str, int] = {}
    for key, count in counts.items():
        kind, _, rest = key.partition(".")
        scalar, _, fn = rest.partition(".")
        if not scalar.startswith(("f", "bf")) or kind not in ("ops", "math") or fn in FREE:
            continue
        found[scalar] = found.get(scalar, 0) + (2 * count if fn == "fma" else count)
    return found


def unavoidable_bytes(counts: Mapping[str, int], machine: Machine) -> int:
    """Return the bytes that must cross the memory bus while the kernel runs, if caches are empty when it starts.

    What it writes may still be in the last cache when it ends, as far as that can hold it.
    """
    sizes = [machine.get(f"cache.l{level}.size", None) for level in (1, 2, 3)]
    cache = max((int(s) for s in sizes if isinstance(s, int | float)), default=0)
    return counts.get("memory.read", 0) + max(0, counts.get("memory.written", 0) - cache)
