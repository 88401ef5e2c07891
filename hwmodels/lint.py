"""Lint: facts of a machine model that contradict each other, physics, or the layer that they extend.

Each rule takes a machine and yields findings. A contradiction that a file itself records as a conflict (the value
that the rule expects, with its source) is acknowledged: it is reported as a note and does not fail.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal

from .errors import MachineError
from .files import model_paths, search_folders, show_path
from .loader import index, load_machine

if TYPE_CHECKING:
    from pathlib import Path

    from .machine import Machine
    from .schema import Fact

PEAK_TOLERANCE: Final = 0.025
BANDWIDTH_TOLERANCE: Final = 0.03
MEASURED_SLACK: Final = 1.02

REQUIRED: Final = (
    *("execution.compute_units", "execution.subgroup_width", "execution.subgroup_widths", "limits.threads_per_group"),
    *("limits.group_dim", "limits.grid_dim", "limits.buffer_args", "shared.per_group", "shared.per_group_optin"),
    *("shared.per_unit", "shared.banks", "shared.bank_width", "cache.l2.size", "memory.size", "memory.bandwidth"),
    *("clock.boost", "rates.vector.f32", "dtypes.storage", "dtypes.alu", "features.fp64", "features.fp16"),
    *("features.subgroups", "features.subgroup_shuffle", "features.atomic_f32_global", "features.atomic_f32_shared"),
    *("features.atomic_i64", "features.forward_progress", "numerics.subnormals_f32", "numerics.contract"),
    "occupancy.rule",
)
"""Facts that gpuport asks of every device; a model states them, if only as unknown."""

_DEVICE_ONLY: Final = re.compile(
    r"execution\.(api_)?compute_units|cache\.l[23]\.size|memory\.(size|sizes|bandwidth|bus|clock|type)|clock\..*|"
    r"rates\..*|measured\..*"
)
_ARCH_FACTS: Final = re.compile(
    r"isa\.(?!target).*|execution\.(subgroup|subpart).*|limits\..*|registers\..*|shared\..*|tmem\..*|matrix\..*|"
    r"dtypes\..*|atomics\..*|features\..*|numerics\..*|occupancy\..*"
)
# Fastest pin in Gbit/s (JEDEC and maker's top grade) and widest bus built, in bit, by memory type.
_MEMORY: Final = {
    "HBM2": (2.4, 8192),
    "HBM2e": (3.6, 8192),
    "HBM3": (6.4, 8192),
    "HBM3e": (9.8, 8192),
    "GDDR6": (20, 512),
    "GDDR6X": (23, 512),
    "GDDR7": (32, 512),
    "LPDDR4X": (4.266, 512),
    "LPDDR5": (6.4, 1024),
    "LPDDR5X": (9.6, 1024),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One contradiction: the rule that found it, the machine, the facts involved, and what was expected."""

    rule: str
    machine: str
    paths: tuple[str, ...]
    message: str
    severity: Literal["error", "note"] = "error"

    def __str__(self) -> str:
        return f"{self.machine}: {self.rule}: {', '.join(self.paths)}: {self.message}"


Rule = Callable[["Machine"], Iterator[Finding]]


def _numeric(machine: Machine, path: str) -> float | None:
    value = machine.get(path)
    return None if isinstance(value, bool) or not isinstance(value, int | float) else value


def _far(a: float, b: float, tolerance: float) -> bool:
    return abs(a - b) > tolerance * abs(b)


def _acknowledged(fact: Fact, expected: float, tolerance: float) -> bool:
    known = [c.value for c in fact.conflicts if not c.replaced]
    return any(isinstance(v, int | float) and not _far(v, expected, tolerance) for v in known)


def _contradicts(rule: str, machine: Machine, fact: Fact, expected: float, how: str, tolerance: float) -> Finding:
    known = _acknowledged(fact, expected, tolerance)
    message = f"{fact}, but {how} is {fact.show(expected)}"
    return Finding(rule, machine.id, (fact.path,), message, "note" if known else "error")


def peaks(machine: Machine) -> Iterator[Finding]:
    """A stated peak is units x operations per clock x clock (2.5 %)."""
    units = _numeric(machine, "execution.compute_units")
    for path, fact in machine.under("rates").items():
        ops = _numeric(machine, "ops." + path.removeprefix("rates."))
        clock = _numeric(machine, f"clock.{fact.basis or 'boost'}")
        if units is None or ops is None or clock is None or not isinstance(fact.value, int | float):
            continue
        expected = units * ops * clock
        if _far(fact.value, expected, PEAK_TOLERANCE):
            how = f"{units:g} units x {ops:g} op/clk x {clock / 1e6:g} MHz"
            yield _contradicts("peak", machine, fact, expected, how, PEAK_TOLERANCE)


def bandwidth(machine: Machine) -> Iterator[Finding]:
    """Memory bandwidth is bus width x data rate (3 %), and no pin is faster than its memory type allows."""
    stated = _numeric(machine, "memory.bandwidth")
    if stated is None:
        return
    fact = machine.fact("memory.bandwidth")
    bus, clock = _numeric(machine, "memory.bus"), _numeric(machine, "memory.clock")
    if bus is not None and clock is not None:
        per_clock = machine.get("memory.transfers_per_clock", 2)
        expected = bus * clock * per_clock / 8
        if _far(stated, expected, BANDWIDTH_TOLERANCE):
            how = f"{bus:g} bit x {clock / 1e6:g} MHz x {per_clock:g} / 8"
            yield _contradicts("bandwidth", machine, fact, expected, how, BANDWIDTH_TOLERANCE)
    pin = _MEMORY.get(machine.get("memory.type", ""))
    if pin is not None:
        most = pin[0] * 1e9 * (bus or pin[1]) / 8
        if stated > most * (1 + BANDWIDTH_TOLERANCE):
            message = f"{fact} is more than {machine.get('memory.type')} can do: {fact.show(most)}"
            yield Finding("pin rate", machine.id, ("memory.bandwidth", "memory.type"), message)


def shared_memory(machine: Machine) -> Iterator[Finding]:
    """Opt-in <= per unit - reserved; default <= opt-in; the largest carve-out is the whole; banks are powers of two."""
    whole, opt_in = _numeric(machine, "shared.per_unit"), _numeric(machine, "shared.per_group_optin")
    reserved, default = machine.get("shared.reserved_per_group", 0), _numeric(machine, "shared.per_group")
    if whole is not None and opt_in is not None and opt_in > whole - reserved:
        message = f"opt-in {opt_in:g} B exceeds {whole:g} B per unit less {reserved:g} B reserved"
        yield Finding("shared", machine.id, ("shared.per_group_optin", "shared.per_unit"), message)
    if default is not None and opt_in is not None and default > opt_in:
        message = f"default {default:g} B exceeds opt-in {opt_in:g} B"
        yield Finding("shared", machine.id, ("shared.per_group", "shared.per_group_optin"), message)
    ladder = machine.get("shared.carveouts")
    if ladder and whole is not None and max(ladder) != whole:
        message = f"largest carve-out {max(ladder)} B is not the {whole:g} B of a unit"
        yield Finding("carve-out", machine.id, ("shared.carveouts", "shared.per_unit"), message)
    for path in ("shared.banks", "shared.bank_width", "cache.line", "cache.sector"):
        value = _numeric(machine, path)
        if value is not None and (value < 1 or int(value) & (int(value) - 1)):
            yield Finding("power of two", machine.id, (path,), f"{value:g} is no power of two")


def residency(machine: Machine) -> Iterator[Finding]:
    """Threads per unit = subgroups per unit x width; subgroups per unit = SIMDs x subgroups per SIMD."""
    threads, subgroups = _numeric(machine, "limits.threads_per_unit"), _numeric(machine, "limits.subgroups_per_unit")
    width = _numeric(machine, "execution.subgroup_width")
    if threads is not None and subgroups is not None and width is not None and threads != subgroups * width:
        message = f"{threads:g} threads, but {subgroups:g} subgroups x {width:g} lanes are {subgroups * width:g}"
        yield Finding("residency", machine.id, ("limits.threads_per_unit", "execution.subgroup_width"), message)
    per_simd, simds = _numeric(machine, "limits.subgroups_per_simd"), _numeric(machine, "execution.subpartitions")
    if per_simd is not None and simds is not None and subgroups is not None and subgroups != per_simd * simds:
        message = f"{subgroups:g} subgroups, but {simds:g} SIMDs x {per_simd:g} are {per_simd * simds:g}"
        yield Finding("residency", machine.id, ("limits.subgroups_per_unit", "limits.subgroups_per_simd"), message)
    widths = machine.get("execution.subgroup_widths")
    if widths and width is not None and width not in widths:
        paths = ("execution.subgroup_width", "execution.subgroup_widths")
        yield Finding("residency", machine.id, paths, f"width {width:g} is none of {widths}")
    if threads is not None and (most := _numeric(machine, "limits.threads_per_group")) is not None and most > threads:
        yield Finding("residency", machine.id, ("limits.threads_per_group",), f"{most:g} exceeds {threads:g} per unit")


def registers(machine: Machine) -> Iterator[Finding]:
    """The register file is lanes x registers per lane, and a group's share is no more than all of it."""
    total, simds = _numeric(machine, "registers.per_unit"), _numeric(machine, "execution.subpartitions")
    for wave in (32, 64):
        lane = _numeric(machine, f"registers.per_lane_wave{wave}")
        if total is not None and simds is not None and lane is not None and total != simds * wave * lane:
            message = f"{total:g}, but {simds:g} SIMDs x {wave} lanes x {lane:g} are {simds * wave * lane:g}"
            yield Finding("registers", machine.id, ("registers.per_unit", f"registers.per_lane_wave{wave}"), message)
    share = _numeric(machine, "registers.per_group")
    if total is not None and share is not None and share > total:
        message = f"{share:g} per group exceed {total:g} per unit"
        yield Finding("registers", machine.id, ("registers.per_group", "registers.per_unit"), message)


def measured(machine: Machine) -> Iterator[Finding]:
    """Nothing measured is more than 2 % above its peak; latencies grow with distance."""
    pairs = [(p, "memory.bandwidth") for p in machine.under("measured.bandwidth") if not p.endswith("l2_read")]
    pairs += [(p, "rates." + p.removeprefix("measured.rate.")) for p in machine.under("measured.rate")]
    for path, limit in pairs:
        got, most = _numeric(machine, path), _numeric(machine, limit)
        if got is not None and most is not None and got > MEASURED_SLACK * most:
            message = f"measured {machine.fact(path)} exceeds the peak {machine.fact(limit)}"
            yield Finding("measured", machine.id, (path, limit), message)
    near = [(p, _numeric(machine, f"measured.latency.{p}")) for p in ("l1", "l2", "dram")]
    known = [(p, v) for p, v in near if v is not None]
    for (a, fast), (b, slow) in pairwise(known):
        if fast >= slow:
            paths = (f"measured.latency.{a}", f"measured.latency.{b}")
            yield Finding("latency", machine.id, paths, f"{a} {fast:g} cycles is not below {b} {slow:g}")


def rate_ratios(machine: Machine) -> Iterator[Finding]:
    """Sparse peaks are at most twice dense ones; fp8 is no slower than f16 on one accumulator."""
    for path, fact in machine.under("rates.matrix_sparse").items():
        dense = _numeric(machine, path.replace("matrix_sparse", "matrix"))
        if dense is not None and isinstance(fact.value, int | float) and fact.value > 2 * dense * (1 + PEAK_TOLERANCE):
            yield Finding("sparse", machine.id, (path,), f"{fact} is more than twice the dense {fact.show(dense)}")
    for acc in ("f32", "f16"):
        small, half = (_numeric(machine, f"rates.matrix.{t}.{acc}") for t in ("fp8", "f16"))
        if small is not None and half is not None and small < half:
            paths = (f"rates.matrix.fp8.{acc}", f"rates.matrix.f16.{acc}")
            yield Finding("fp8", machine.id, paths, "fp8 is slower than f16")


def identity(machine: Machine) -> Iterator[Finding]:
    """A CUDA compute capability and its compiler target are the same number."""
    target, capability = machine.get("isa.target", ""), machine.get("isa.compute_capability")
    match = re.fullmatch(r"sm_(\d+)(\d)[af]?", target)
    if match and capability is not None and capability != f"{match[1]}.{match[2]}":
        message = f"compute capability {capability} is not that of {target}, {match[1]}.{match[2]}"
        yield Finding("identity", machine.id, ("isa.compute_capability", "isa.target"), message)


def layers(machine: Machine) -> Iterator[Finding]:
    """What an architecture states holds for all its devices; what differs by device is not the architecture's."""
    for path, fact in machine.facts().items():
        replaced = [c for c in fact.conflicts if c.replaced]
        if replaced and _ARCH_FACTS.fullmatch(path):
            was = f"{fact.show(replaced[0].value)} of the {replaced[0].replaced} layer"
            message = f"{fact} ({fact.layer} layer) contradicts {was}"
            severity = "note" if fact.layer == "instance" else "error"
            yield Finding("layers", machine.id, (path,), f"{message} ({replaced[0].source})", severity)
        if fact.layer in ("family", "arch") and fact.known and _DEVICE_ONLY.fullmatch(path):
            message = f"{fact} differs from device to device, but the {fact.layer} layer states it"
            yield Finding("layers", machine.id, (path,), message)


def completeness(machine: Machine) -> Iterator[Finding]:
    """A device states every fact that gpuport asks of all devices, if only as unknown."""
    if machine.layer in ("family", "arch"):
        return
    missing = [p for p in REQUIRED if p not in machine.facts()]
    if missing:
        message = 'not stated; write a value or { kind = "unknown" }'
        yield Finding("missing", machine.id, tuple(missing), message)


RULES: Final[tuple[Rule, ...]] = (
    *(peaks, bandwidth, shared_memory, residency, registers, measured, rate_ratios, identity, layers, completeness),
)


def lint_machine(machine: Machine) -> list[Finding]:
    """All findings on one machine."""
    return [finding for rule in RULES for finding in rule(machine)]


def lint_paths(paths: list[Path]) -> tuple[int, list[Finding]]:
    """Lint model files: how many were read, and what was found; an unreadable file is a finding."""
    findings: list[Finding] = []
    for path in paths:
        try:
            findings += lint_machine(load_machine(path))
        except MachineError as error:
            findings.append(Finding("file", show_path(path), (), str(error)))
    return len(paths), findings


def lint_names() -> list[Finding]:
    """Names and aliases that mean two files."""
    owners: dict[str, str] = {}
    findings: list[Finding] = []
    for entry in index().entries:
        for name in {entry.header.id, *entry.header.aliases}:
            other = owners.setdefault(name.lower(), show_path(entry.path))
            if other != show_path(entry.path):
                message = f"the name {name!r} also belongs to {other}"
                findings.append(Finding("names", entry.header.id, (), message))
    return findings


def lint_all() -> tuple[int, list[Finding]]:
    """Lint every model file that can be found by name."""
    count, findings = lint_paths([path for folder in search_folders() for path in model_paths(folder)])
    return count, findings + lint_names()
