"""How long a port takes: measured on its device, or the roofline's least time, marked as predicted."""

from __future__ import annotations

import math
import statistics
import time
from typing import TYPE_CHECKING, Any, Final

from ..backends.isolate import Done, Isolated
from ..hwmodels.roofline import roofline
from .report.schema import CountsRecord, FactRecord, Floor, Timing
from .work import float_operations, unavoidable_bytes

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


def predicted_floor(
    kernel: Kernel, machine: Machine, sizes: Mapping[str, int], counts: CountsRecord | None = None
) -> Floor | None:
    """Return the roofline's least time at these sizes; None where the machine's bandwidth is unknown.

    With counts it rests on what the port was seen to do, see `Floor`; without, on the spec's buffers alone: each input
    read once, each output written once, and no arithmetic.
    """
    if not machine.known("memory.bandwidth"):
        return None
    operations: dict[str, int] = {}
    if counts is None:
        least = minimal_bytes(kernel, sizes)
        basis = f"{least} bytes (inputs read once, outputs written once) over the peak memory bandwidth; no arithmetic"
    else:
        read, written = (counts.counts.get(f"memory.{way}", 0) for way in ("read", "written"))
        least = read + written
        basis = f"{least} bytes ({read} read and {written} written, each line once) over the peak memory bandwidth"
        made = float_operations(counts.counts)
        operations = {f"vector.{t}": n for t, n in made.items() if machine.known(f"rates.vector.{t}")}
        for t, n in made.items():
            known = f"vector.{t}" in operations
            basis += f"; {n} {t} operations" + (" over their peak rate" if known else ", whose rate is not known")
    line = roofline(machine, least, operations)
    facts = tuple(FactRecord.of(machine.id, fact) for fact in line.facts)
    return Floor(
        size=dict(sizes), seconds=line.seconds, basis=basis, facts=facts, memory_seconds=line.memory_time,
        compute_seconds=line.compute_time,
    )  # fmt: skip


def too_fast(timing: Timing, floor: Floor | None, machine: Machine, counts: CountsRecord | None) -> float | None:
    """Return the time that moving the port's data takes, if it was measured to take clearly less; None if not."""
    if floor is None:
        return None
    moved = roofline(machine, unavoidable_bytes(counts.counts, machine), {}).seconds if counts else floor.seconds
    return moved if timing.median < 0.98 * moved else None


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
    counts: CountsRecord | None = None,
) -> tuple[Timing | None, Floor | None, str]:
    """Return the times measured on the device, if one of `backends` is one, the predicted floor, and the device's name.

    With `run` False, or where only the emulator is there, nothing is measured. `counts`: what `count_work` counted.
    """
    from .spec.data import arguments

    floor = predicted_floor(kernel, machine, case.sizes, counts)
    device = next((b for b in backends if b != "emulator"), None)
    if device is None or not run:
        return None, floor, ""
    args = arguments(kernel, case.sizes, oracle.inputs(case.sizes))
    with Isolated(device, text, machine, time_limit=time_limit) as isolated:
        timing = measure(isolated, case.launch, args, size=case.sizes)
    if timing is not None and (least := too_fast(timing, floor, machine, counts)):
        doubt = f"faster than the {least:.3g} s that moving its data takes: do not rely on it"
        timing = timing.model_copy(update={"method": f"{timing.method}; {doubt}"})
    return timing, floor, timing.device if timing else ""
