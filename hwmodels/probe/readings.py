"""What a probe found, the model it belongs to, and the instance file it becomes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from ..errors import MachineError
from ..files import parse_model
from ..loader import Entry, find_entry, index, lineage, load_machine, merge
from ..units import show_scalar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..machine import Machine
    from ..schema import Fact
    from ..units import Scalar, Value

Report = Callable[[str], None]
Written = str | bool | list[int]
MEASURED_TOLERANCE: Final = 0.1
"""Measurements of one quantity that differ by less than this agree: methods, clocks and drivers differ."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One fact as a model file writes it: `value` with its unit ("48 KiB"), or a list and its `unit`."""

    path: str
    value: Written
    kind: Literal["driver", "measured"] = "driver"
    unit: str = ""
    at: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """One device as probed; `hints` identify it ("gfx", "cc", "mtl_arch"), `corrections` are API values not used."""

    name: str
    backend: str
    driver: str
    readings: tuple[Reading, ...]
    hints: Mapping[str, str] = field(default_factory=dict[str, str])
    corrections: tuple[str, ...] = ()


def written(value: float, unit: str) -> str:
    """A measured number as a model file writes it, to four digits: "34.68 GB/s"."""
    return show_scalar(float(f"{value:.4g}"), unit, ops="op")


def _matches(entry: Entry, name: str, hints: Mapping[str, str]) -> int:
    """3 for the device by name, 2 by its architecture's own name, 0 for no match."""
    pattern = entry.header.match.get("name")
    if pattern and re.fullmatch(pattern, name.strip(), re.IGNORECASE):
        return 3
    arch = {hints.get("gfx", "-"), "sm_" + hints.get("cc", "-").replace(".", "")}
    return 2 if entry.header.layer == "arch" and entry.header.id in arch else 0


def find_base(name: str, hints: Mapping[str, str]) -> str | None:
    """Id of the built-in device that this name means, else of its architecture, else None; never a similar device."""
    scored = [(_matches(e, name, hints), e.header.id) for e in index().entries if e.header.layer in ("device", "arch")]
    best = max((score for score, _ in scored), default=0)
    found = [i for score, i in scored if score == best]
    return found[0] if best and len(found) == 1 else None


def _toml(value: Scalar | list[int]) -> str:
    # TOML basic strings, booleans and arrays of integers are written as JSON writes them.
    return json.dumps(value, ensure_ascii=False)


def _line(reading: Reading) -> str:
    parts = [f"v = {_toml(reading.value)}"]
    if reading.unit:
        parts.append(f"unit = {_toml(reading.unit)}")
    parts.append(f'src = "{"probe" if reading.kind == "driver" else "probe-measured"}"')
    parts += [f"{key} = {_toml(text)}" for key, text in (("at", reading.at), ("note", reading.note)) if text]
    return f"{reading.path.split('.', 1)[1]} = {{ {', '.join(parts)} }}"


def instance_text(probe: Probe, base: str, identifier: str, now: datetime | None = None) -> str:
    """The instance file: what the probe says beyond, or against, the model `base`."""
    when = (now or datetime.now(UTC)).date().isoformat()
    machine = load_machine(base)
    title = f"gpuport machines probe on {when}: {probe.name}, {probe.backend}, {probe.driver}"
    lines = [
        f"# Written by gpuport machines probe on {when}. Measured values are this device's, on that day.",
        'schema = "machine/1"',
        f"id = {_toml(identifier)}",
        f"name = {_toml(f'{machine.name}, as probed' if machine.layer != 'family' else probe.name)}",
        'layer = "instance"',
        f"extends = {_toml(base)}",
    ]
    if machine.layer == "family":
        lines.append(f"arch = {_toml(probe.hints.get('gfx') or 'unknown')}")
    lines += ["", "[sources.probe]", f"title = {_toml(title)}", 'class = "driver"']
    lines += ["", "[sources.probe-measured]", f"title = {_toml(title)}", 'class = "measured"']
    told = [r for r in probe.readings if _is_news(r, machine)]
    for group in dict.fromkeys(r.path.split(".", 1)[0] for r in told):
        lines += ["", f"[{group}]", *(_line(r) for r in told if r.path.startswith(group + "."))]
    return "\n".join(lines) + "\n"


def _is_news(reading: Reading, machine: Machine) -> bool:
    if reading.kind == "measured" or not machine.known(reading.path):
        return True
    return read_fact(reading).value != machine.value(reading.path)


def read_fact(reading: Reading) -> Fact:
    """A reading as a fact, checked like a file's."""
    from ..files import common_sources
    from ..schema import FactError, RawFact, make_fact

    raw = RawFact(v=list(reading.value) if isinstance(reading.value, list) else reading.value, src="drv")
    raw = raw.model_copy(update={"unit": reading.unit or None})
    try:
        return make_fact(reading.path, raw, dict(common_sources()), "instance")
    except FactError as error:
        raise MachineError(f"probe: {reading.path}: {error}") from None


def write_instance(path: Path, text: str) -> Machine:
    """Check the text as a model file, write it, and load it. Raises MachineError; an existing file is replaced."""
    checked = parse_model(path, text)
    machine = merge(lineage(checked))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise MachineError(f"{path}: cannot write: {error.strerror}") from None
    return machine


def _same_measurement(fact: Fact, other: Value) -> bool:
    """Whether a measured fact agrees with another value up to timer and clock noise."""
    value = fact.value
    if fact.kind != "measured" or not isinstance(value, int | float) or not isinstance(other, int | float):
        return False
    return abs(value - other) <= MEASURED_TOLERANCE * abs(other)


def contradictions(machine: Machine) -> list[tuple[Fact, str]]:
    """(fact, what the model said) for facts of an instance that contradict the layers below it."""
    found: list[tuple[Fact, str]] = []
    for fact in machine.facts().values():
        for conflict in fact.conflicts:
            if fact.layer != "instance" or not conflict.replaced:
                continue
            if not _same_measurement(fact, conflict.value):
                found.append((fact, f"{fact.show(conflict.value)} ({conflict.source})"))
    return found


def require_base(name: str) -> str:
    """Id of the model that a user named for `--extends`. Raises UnknownMachine."""
    return find_entry(name).header.id
