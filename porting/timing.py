"""How long a port takes: measured on its device, or the roofline's least time, marked as predicted."""

from __future__ import annotations

import math
import statistics
import time
from typing import TYPE_CHECKING, Any, Final

from ..backends.isolate import Done, Isolated
from ..hwmodels.roofline import roofline
from .report.schema import FactRecord, Floor, Timing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..backends.base import KernelText, Launch
    from ..hwmodels import Machine
    from .spec.kernel import Kernel
    from .verify.oracle import Oracle
    from .verify.verify import Case

BATCH: Final = 10
KEPT: Final = 3
MOST_BATCHES: Final = 10
STEADY: Final = 0.02
"""Batches run until the medians of the last KEPT agree to this share, MOST_BATCHES or the budget at the latest."""


def measure(
    isolated: Isolated,
    launch: Launch,
    args: Mapping[str, Any],
    *,
    size: Mapping[str, int],
    repeats: int = BATCH,
    budget: float = 2.0,
) -> Timing | None:
    """Time a kernel in batches of `repeats` launches (fewer of a slow one) until it runs steadily.

    The samples of the last KEPT batches are kept, those before are the warm-up. It takes about `budget` seconds at
    most, and one launch at least. Returns None where a run did not end well, or ran nothing.
    """
    started = time.monotonic()
    first = isolated.run(launch, args, repeats=1)
    if not isinstance(first, Done) or not first.result.seconds:
        return None
    # a timed launch takes as long again for restoring outputs and flushing caches, and more
    count = max(1, min(repeats, int(budget / (KEPT + 1) / (4 * first.result.seconds[0] + 1e-9))))
    batches: list[list[float]] = []
    while not batches or (len(batches) < MOST_BATCHES and time.monotonic() < started + budget):
        outcome = isolated.run(launch, args, repeats=count)
        if not isinstance(outcome, Done):
            return None
        batches.append(outcome.result.seconds)
        if len(batches) >= KEPT and spread(batches[-KEPT:]) <= STEADY:
            break
    kept = batches[-KEPT:]
    samples = tuple(s for batch in kept for s in batch)
    warm_up = 1 + (len(batches) - len(kept)) * count
    agreement = f", batch medians within {spread(kept):.1%}" if len(kept) > 1 else ""
    method = f"{first.result.timing}; {len(samples)} samples after {warm_up} that are not kept{agreement}"
    return Timing(size=dict(size), device=first.result.device, samples=samples, method=method)


def spread(batches: Sequence[Sequence[float]]) -> float:
    """Return by which share the largest of the batches' medians exceeds the smallest; infinity for a median of 0."""
    medians = [statistics.median(b) for b in batches]
    return max(medians) / min(medians) - 1 if min(medians) > 0 else math.inf


def minimal_bytes(kernel: Kernel, sizes: Mapping[str, int]) -> int:
    """Return the least bytes that a kernel moves: each input read once, each output written once, inout both."""
    ways = {"in": 1, "out": 1, "inout": 2}
    return sum(
        ways.get(arg.role or "", 0) * math.prod(kernel.shape(name, sizes)) * arg.dtype.size
        for name, arg in kernel.args.items()
        if arg.is_buffer
    )


def predicted_floor(kernel: Kernel, machine: Machine, sizes: Mapping[str, int]) -> Floor | None:
    """Return the least time at these sizes by memory traffic alone; None where the machine's bandwidth is unknown.

    Arithmetic is left out: only the spec is looked at, and it does not tell the operations.
    """
    if not machine.known("memory.bandwidth"):
        return None
    least = minimal_bytes(kernel, sizes)
    line = roofline(machine, least, {})
    facts = tuple(FactRecord.of(machine.id, fact) for fact in line.facts)
    basis = f"{least} bytes (inputs read once, outputs written once) over the peak memory bandwidth; no arithmetic"
    return Floor(size=dict(sizes), seconds=line.seconds, basis=basis, facts=facts)


def measure_port(
    text: KernelText,
    kernel: Kernel,
    case: Case,
    oracle: Oracle,
    machine: Machine,
    backends: Sequence[str],
    *,
    run: bool = True,
    time_limit: float = 60.0,
) -> tuple[Timing | None, Floor | None, str]:
    """Return the times measured on the device, if one of `backends` is one, the predicted floor, and the device's name.

    With `run` False, or where only the emulator is there, nothing is measured.
    """
    from .spec.data import arguments

    floor = predicted_floor(kernel, machine, case.sizes)
    device = next((b for b in backends if b != "emulator"), None)
    if device is None or not run:
        return None, floor, ""
    args = arguments(kernel, case.sizes, oracle.inputs(case.sizes))
    with Isolated(device, text, machine, time_limit=time_limit) as isolated:
        timing = measure(isolated, case.launch, args, size=case.sizes)
    if timing is not None and floor is not None and timing.median < 0.98 * floor.seconds:
        doubt = f"faster than the predicted floor of {floor.seconds:.3g} s: do not rely on it"
        timing = timing.model_copy(update={"method": f"{timing.method}; {doubt}"})
    return timing, floor, timing.device if timing else ""
