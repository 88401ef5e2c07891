"""Other values for the integers that a launch is tied to, where the source's do not fit the destination."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import TYPE_CHECKING

from ..decisions import CitedFact, Decision

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence, Set

    from ...ir.diagnostics import Diagnostic


def alternatives(values: Mapping[str, int], tied: Set[str]) -> Iterator[dict[str, int]]:
    """Yield other values for the names in `tied`, the nearest to the author's first.

    Each tied value stays or becomes a smaller power of two; none grows. Ordered by the product of the tied values, the
    largest first, then by how few of them changed, then by how even they are. Names not in `values` are ignored.
    """
    names = sorted(tied & values.keys())
    choices = [[values[name], *_smaller(values[name])] for name in names]
    found = [dict(zip(names, picked, strict=True)) for picked in product(*choices)]

    def preference(pick: dict[str, int]) -> tuple[int, int, int]:
        changed = sum(pick[name] != values[name] for name in names)
        return -prod(pick.values()), changed, max(pick.values(), default=0)

    for pick in sorted(found, key=preference):
        if any(pick[name] != values[name] for name in names):
            yield {**values, **pick}


def _smaller(value: int) -> list[int]:
    """The powers of two below a value, the largest first."""
    return [1 << k for k in reversed(range(max(value - 1, 0).bit_length()))] if value > 1 else []


def rechosen(
    before: Mapping[str, int],
    after: Mapping[str, int],
    because: Sequence[Diagnostic],
    facts: Sequence[CitedFact] = (),
) -> Decision:
    """Return the record that values were re-chosen: which, and what the author's values had broken."""
    changed = [name for name in after if after[name] != before[name]]
    what = ", ".join(f"{name} is {after[name]} instead of {before[name]}" for name in changed)
    return Decision(what, "; ".join(d.message for d in because), tuple(facts))
