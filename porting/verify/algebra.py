"""The algebra gate: source and port must be the same formula, whatever their rounding and their order of operations.

Both run in the emulator's finite field on the same random residues (verification.md §3.4). A result that depends on how
the order of residues is chosen says nothing: a difference counts only where neither program's result changes when that
order is turned round. So softmax, which any number subtracted in the exponent leaves as it is, is judged; but that it
should subtract the maximum is not seen here, and is left to the values of large inputs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

import numpy as np

from ...backends.emulator.field_domain import RESULT_SOFT, RESULT_UNKNOWN, FieldRun
from ...backends.isolate import Done, Failed
from ..spec.data import arguments, is_drawn, outputs
from .gates import Said, compare_mode

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ...backends.base import Launch
    from ...backends.isolate import Outcome
    from ..spec.data import Inputs
    from ..spec.kernel import Kernel
    from .oracle import Oracle

ELEMENTS: Final = 1 << 13
"""The gate runs where no buffer has more elements than this: the field is some 20 times slower than floats."""

Residues = dict[str, np.ndarray]


@runtime_checkable
class FieldRunner(Protocol):
    """A runner that can run its kernel in the finite field: `Isolated` on the emulator."""

    def run_in_field(
        self, launch: Launch, args: Mapping[str, Any], given: FieldRun, floats: Collection[str]
    ) -> Outcome:
        """Run once; the result's buffers are residues."""
        ...


def judged(kernel: Kernel) -> list[str]:
    """Return the outputs that the gate compares: floats, but for those whose tolerance the user set."""
    modes = (None, "float", "exact", "sorted")
    return [n for n in outputs(kernel) if kernel.args[n].scalar.is_float and compare_mode(kernel, n) in modes]


def field_run(kernel: Kernel, seed: int, *, reverse: bool = False) -> FieldRun:
    """Return what a run in the field is given: every float buffer whose contents are drawn becomes residues."""
    drawn = {n: n for n, a in kernel.args.items() if is_drawn(a) and a.scalar.is_float}
    return FieldRun(seed, drawn, reverse)


def gate_algebra(
    oracle: Oracle, runner: FieldRunner, sizes: Mapping[str, int], source: Launch, launch: Launch, inputs: Inputs
) -> Said | None:
    """Refute a candidate that is another formula than the source; None where there is no float output to judge.

    `source` and `launch` are the source's launch and the candidate's. Unknown, with the reason, where the field cannot
    follow one of them, and where a difference may come from the choice of an order alone.
    """
    kernel = oracle.kernel
    names = judged(kernel)
    if not names or 0 in source.grid or 0 in launch.grid:
        return None
    seed = int(oracle.rng(sizes, "residues").integers(1 << 62))
    floats = [n for n, a in kernel.args.items() if a.is_buffer and a.role != "null" and a.scalar.is_float]

    def both(reverse: bool) -> tuple[Residues, Residues, str]:
        given = field_run(kernel, seed, reverse=reverse)
        mine, why = oracle.residues(sizes, source, given)
        if not mine:
            return {}, {}, why
        outcome = runner.run_in_field(launch, arguments(kernel, sizes, inputs), given, floats)
        if isinstance(outcome, Done):
            return mine, outcome.result.buffers, why
        if isinstance(outcome, Failed) and outcome.error == "DomainUnsupported":
            return {}, {}, str(outcome)
        return {}, {}, f"the port cannot be run in a finite field ({outcome})"

    expected, found, why = both(False)
    if not expected:
        return Said("unknown", why)
    if not found.keys() >= set(names):
        return Said("unknown", "the port gives no residues of some outputs")
    ordered = {n: compare_mode(kernel, n) != "sorted" for n in names}
    different = {n: _differences(expected[n], found[n], ordered[n]) for n in names}
    if any(d.any() for d in different.values()):
        other, turned, _ = both(True)
        for n in names if other else ():
            steady = (expected[n] == other[n]) & (found[n] == turned[n])
            real = different[n] & (steady if ordered[n] else steady.all())
            if real.any():
                text = f"{int(real.sum())} of {real.size} elements of {n} are another formula than the source's"
                return Said("refuted", f"{text}, first [{int(np.flatnonzero(real)[0])}]")
        return Said("unknown", "differs from the source, in what depends on the order of data, which no field has")
    return _agreement(names, expected, found, ordered, why)


def _differences(a: np.ndarray, b: np.ndarray, ordered: bool) -> np.ndarray:
    """Where both are known, without pseudo-random functions, and not the same."""
    a, b = (a, b) if ordered else (np.sort(a), np.sort(b))
    vague = ((a | b) & RESULT_SOFT) != 0
    return (a != b) & ~vague & (ordered or not vague.any())


def _agreement(names: list[str], a: Residues, b: Residues, ordered: Mapping[str, bool], why: str) -> Said:
    count, open_, soft = 0, 0, 0
    for n in names:
        x, y = (a[n], b[n]) if ordered[n] else (np.sort(a[n]), np.sort(b[n]))
        unknown = (x == RESULT_UNKNOWN) | (y == RESULT_UNKNOWN)
        count, open_ = count + x.size, open_ + int(unknown.sum())
        soft += int(((x != y) & ~unknown).sum())
    if open_:
        return Said(
            "unknown", f"{open_} of {count} elements cannot be followed in a finite field ({why or 'the port'})"
        )
    if soft:
        return Said("unknown", f"{soft} of {count} elements differ, in functions that a field does not have")
    return Said("tested", f"{count} elements equal to the source's in a finite field of 62 bits")
