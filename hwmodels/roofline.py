"""Roofline: the least time a kernel can take, from bytes, operations and the machine's peaks.

Williams, Waterman, Patterson, "Roofline", CACM 52(4), 2009: time >= max(bytes / bandwidth, operations / rate).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import MachineError, UnknownFact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .machine import Machine
    from .schema import Fact


@dataclass(frozen=True, slots=True)
class Roofline:
    """The least time in seconds and what it rests on.

    `memory_time` and `compute_time` are the two sides; `bound` names the larger. `ridge` is the intensity in
    operations per byte above which the first engine, not memory, is the limit. `facts` are the peaks that were used
    and `assumptions` what was taken for granted; `confidence` is that of the least trusted fact.
    """

    seconds: float
    memory_time: float
    compute_time: float
    bound: str
    ridge: float | None
    facts: tuple[Fact, ...]
    assumptions: tuple[str, ...]
    confidence: str


def peak(machine: Machine, engine: str) -> Fact:
    """The peak of "vector.f32", "matrix.f16.f32" and so on, in op/s (an fma is two). Raises UnknownFact."""
    path = f"rates.{engine}"
    if machine.known(path):
        return machine.fact(path)
    stated = sorted(p.removeprefix("rates.") for p in machine.under("rates"))
    raise UnknownFact(f"{machine.id}: no peak is known for {engine}; known: {', '.join(stated) or 'none'}")


def ridge(machine: Machine, engine: str) -> float:
    """Operations per byte at which the engine's peak and the memory bandwidth take the same time."""
    return float(peak(machine, engine).value) / machine.number("memory.bandwidth")  # pyright: ignore[reportArgumentType]


def roofline(
    machine: Machine, bytes_moved: float, operations: Mapping[str, float], *, measured: bool = False
) -> Roofline:
    """The least time for `bytes_moved` bytes of device memory and `operations` by engine ("vector.f32": count).

    Engines are taken to run one after another, memory and compute to overlap fully. With `measured`, a measured
    bandwidth or rate replaces the peak where the model has one.

    Raises UnknownFact for an unknown peak and MachineError for negative amounts.
    """
    if bytes_moved < 0 or any(count < 0 for count in operations.values()):
        raise MachineError("bytes and operations cannot be negative")
    used: list[Fact] = []

    def speed(path: str, stand_in: str) -> float:
        fact = machine.fact(stand_in) if measured and machine.known(stand_in) else machine.fact(path)
        used.append(fact)
        value = fact.value
        if isinstance(value, bool | str | tuple) or not value:
            raise MachineError(f"{machine.id}: {path} is {value!r}, not a rate")
        return value

    memory_time = 0.0
    if bytes_moved:
        copied = machine.known("measured.bandwidth.copy")
        stand_in = "measured.bandwidth.copy" if copied else "measured.bandwidth.stream"
        memory_time = bytes_moved / speed("memory.bandwidth", stand_in)
    compute_time = 0.0
    for engine, count in operations.items():
        if count:
            peak(machine, engine)
            compute_time += count / speed(f"rates.{engine}", f"measured.rate.{engine}")
    first = next((engine for engine, count in operations.items() if count), None)
    assumptions = ["memory traffic and arithmetic overlap fully", "an fma counts as two operations"]
    if len([c for c in operations.values() if c]) > 1:
        assumptions.append("engines run one after another")
    if not measured:
        assumptions.append("peaks, not measured rates: real kernels are slower")
    assumptions += [f"{fact.path} is unverified ({fact.confidence} confidence)" for fact in used if not fact.verified]
    order = ("unknown", "low", "medium", "high")
    return Roofline(
        seconds=max(memory_time, compute_time),
        memory_time=memory_time,
        compute_time=compute_time,
        bound="memory" if memory_time >= compute_time else "compute",
        ridge=ridge(machine, first) if first is not None and machine.known("memory.bandwidth") else None,
        facts=tuple(used),
        assumptions=tuple(assumptions),
        confidence=min((fact.confidence for fact in used), key=order.index, default="high"),
    )


def achieved(machine: Machine) -> dict[str, float]:
    """What was measured as a fraction of its peak, by the measured fact's path, where the model has both.

    It is this machine's own; a fraction measured on one device says nothing about another.
    """
    fractions: dict[str, float] = {}
    for path, fact in machine.under("measured").items():
        kind, _, rest = path.removeprefix("measured.").partition(".")
        if kind == "bandwidth" and rest != "l2_read":
            limit = "memory.bandwidth"
        elif kind == "rate":
            limit = f"rates.{rest}"
        else:
            continue
        most = machine.get(limit)
        if isinstance(fact.value, int | float) and most:
            fractions[path] = fact.value / most
    return fractions
