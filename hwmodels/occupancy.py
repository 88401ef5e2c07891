"""Occupancy: how many groups of a kernel fit on one compute unit at a time, and which resource limits them.

The rules are code, their parameters are facts of the machine model:
NVIDIA: cuda_occupancy.h of the CUDA toolkit. AMD: LLVM AMDGPUBaseInfo.cpp, LDS granules from Mesa ac_gpu_info.c.
Apple7/8: Mesa agx_performance.c and philipturner/metal-benchmarks, low confidence. Everything else is unknown, and
the answer says why.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .errors import MachineError

if TYPE_CHECKING:
    from .machine import Machine
    from .schema import Confidence

Limits = dict[str, float]


@dataclass(frozen=True, slots=True)
class Usage:
    """What one group of a compiled kernel takes.

    `registers` is per thread, as the compiler reports it: 32-bit registers (on AMD the architectural vector
    registers; `accumulators` are the AccVGPRs). Shared memory is in bytes; `shared_opt_in` is the dynamic size that
    the kernel was allowed by cudaFuncSetAttribute (None: as much as `shared_dynamic`). `carveout` is the preferred
    shared memory in percent of the compute unit's (None: the default, the largest).
    """

    threads: int
    registers: int = 0
    shared: int = 0
    shared_dynamic: int = 0
    shared_opt_in: int | None = None
    carveout: int | None = None
    barriers: int = 1
    virtual_resources: int = 0
    accumulators: int = 0
    scalar_registers: int = 0
    wave: int | None = None

    def __post_init__(self) -> None:
        if self.threads <= 0:
            raise MachineError(f"threads per group must be positive, got {self.threads}")
        counts = (self.registers, self.shared, self.shared_dynamic, self.barriers, self.accumulators)
        if min(counts) < 0:
            raise MachineError(f"resources of a group cannot be negative: {self}")


@dataclass(frozen=True, slots=True)
class Occupancy:
    """The answer of a rule.

    `groups` per compute unit (0: cannot launch) and `fraction` of its subgroup slots are None where no rule is known;
    `reason` then says why. `limits` has groups per unit by resource, `limiters` those that bind.
    """

    rule: str
    groups: int | None
    subgroups: int | None
    fraction: float | None
    limiters: tuple[str, ...] = ()
    limits: Limits = field(default_factory=dict[str, float])
    confidence: Confidence = "high"
    reason: str = ""


def _ceil(a: int, b: int) -> int:
    return -(-a // b)


def _align(value: int, granule: int) -> int:
    return _ceil(value, granule) * granule


def _answer(rule: str, limits: Limits, subgroups: int, slots: int, confidence: Confidence = "high") -> Occupancy:
    groups = int(min(limits.values()))
    binding = tuple(name for name, limit in limits.items() if limit == groups)
    return Occupancy(rule, groups, groups * subgroups, groups * subgroups / slots, binding, limits, confidence)


def _nvidia_shared(machine: Machine, usage: Usage) -> float:
    reserved = machine.integer("shared.reserved_per_group")
    default, opt_in = machine.integer("shared.per_group"), machine.integer("shared.per_group_optin")
    allowed = usage.shared_dynamic if usage.shared_opt_in is None else usage.shared_opt_in
    allocated = _align(usage.shared + reserved + usage.shared_dynamic, machine.integer("shared.granule"))
    # The header compares static + reserved + allowed dynamic, reserved included, with the default limit.
    limit = (opt_in if usage.shared + reserved + allowed > default else default) + reserved
    if allocated > limit or usage.shared_dynamic > allowed:
        return 0
    ladder = machine.integers("shared.carveouts")
    whole = machine.integer("shared.per_unit")
    preferred = whole if usage.carveout is None else usage.carveout * whole // 100
    wanted = preferred if _step(ladder, preferred) >= allocated else allocated
    return _step(ladder, wanted) // allocated if allocated else math.inf


def _step(ladder: tuple[int, ...], size: int) -> int:
    return min(step for step in ladder if step >= size)


def nvidia(machine: Machine, usage: Usage) -> Occupancy:
    """NVIDIA's rule, cuda_occupancy.h: compute capability 7.0 and later, clusters not modelled."""
    width = machine.integer("execution.subgroup_width")
    warps = _ceil(usage.threads, width)
    slots = machine.integer("limits.threads_per_unit") // width
    parts = machine.integer("execution.subpartitions")
    limits: Limits = {
        "threads": 0 if usage.threads > machine.integer("limits.threads_per_group") else slots // warps,
        "groups": machine.integer("limits.groups_per_unit"),
    }
    per_warp = _align(usage.registers * width, machine.integer("registers.granule"))
    # The header's own bound is 256; the instruction set encodes 255.
    too_many = usage.registers > machine.integer("registers.per_thread") + 1
    if too_many or per_warp * _align(warps, parts) > machine.integer("registers.per_group"):
        limits["registers"] = 0
    elif per_warp:
        limits["registers"] = machine.integer("registers.per_unit") // parts // per_warp * parts // warps
    else:
        limits["registers"] = math.inf
    limits["shared"] = _nvidia_shared(machine, usage)
    capability = tuple(int(part) for part in machine.text("isa.compute_capability").split("."))
    if capability >= (9, 0) and usage.barriers:
        limits["barriers"] = machine.integer("limits.barriers_per_unit") // usage.barriers
    virtual = machine.get("limits.virtual_resources_per_unit", 0)
    if virtual and usage.virtual_resources > 0:
        limits["virtual resources"] = virtual // usage.virtual_resources
    return _answer("nvidia", limits, warps, slots)


def _scalar_waves(machine: Machine, usage: Usage) -> float:
    # LLVM: 800 scalar registers per SIMD on gfx8 and gfx908, allocated by 8.
    if not machine.get("registers.scalar_limits_occupancy", False):
        return math.inf
    return next((waves for most, waves in ((80, 10), (88, 9), (100, 8)) if usage.scalar_registers <= most), 7)


def amd(machine: Machine, usage: Usage) -> Occupancy:
    """LLVM's rule for CDNA compute units and RDNA work-group processors (WGP mode, the default).

    Not modelled: scratch, and partly filled SIMDs (the vector-register limit is an upper bound where the waves of a
    group are not a multiple of the SIMDs).
    """
    rule = machine.text("occupancy.rule")
    wave = usage.wave or machine.integer("execution.subgroup_width")
    if wave not in machine.integers("execution.subgroup_widths"):
        raise MachineError(f"{machine.id}: no wave{wave}; widths: {machine.integers('execution.subgroup_widths')}")
    units = 2 if rule == "rdna" else 1
    simds = machine.integer("execution.subpartitions") * units
    per_simd = machine.integer("limits.subgroups_per_simd")
    waves = _ceil(usage.threads, wave)
    granule = machine.integer(f"registers.granule_wave{wave}")
    total = machine.integer(f"registers.per_lane_wave{wave}")
    unified = machine.text("registers.accumulator_file") == "unified"
    # A unified file holds both kinds, the accumulators behind the architectural ones; a separate file has its own.
    used = _align(usage.registers, 4) + usage.accumulators if unified and usage.accumulators else usage.registers
    if not unified:
        used = max(used, usage.accumulators)
    fit = per_simd if used < granule else min(max(total // _align(used, granule), 1), per_simd)
    limits: Limits = {
        "threads": 0 if usage.threads > machine.integer("limits.threads_per_group") else per_simd * simds // waves,
        "registers": 0 if used > machine.integer("registers.per_thread") else fit * simds // waves,
    }
    scalar = _scalar_waves(machine, usage)
    if scalar < math.inf:
        limits["scalar registers"] = int(min(scalar, per_simd)) * simds // waves
    lds = _align(usage.shared + usage.shared_dynamic, machine.integer("shared.granule"))
    pool = machine.integer("shared.pool") if units == 2 else machine.integer("shared.per_unit")
    most = machine.integer("shared.per_group")
    if lds:
        limits["shared"] = 0 if usage.shared + usage.shared_dynamic > most else pool // lds
    if waves > 1:
        limits["barriers"] = machine.integer("limits.groups_per_unit")
    return _answer(rule, limits, waves, per_simd * simds)


def apple7(machine: Machine, usage: Usage) -> Occupancy:
    """Apple7 and Apple8 (M1, M2), from community measurements.

    resident threads = min(3072, 64 * floor(1664 / halfregs)), half registers aligned to 8; 1664 half registers of 64
    lanes are the 208 KiB register file. It gives the ten rows of Mesa's agx_performance.c.
    """
    width = machine.integer("execution.subgroup_width")
    most = machine.integer("limits.threads_per_unit")
    subgroups = _ceil(usage.threads, width)
    pairs = 64
    halves = _align(2 * usage.registers, 2 * machine.integer("registers.granule"))
    file = machine.integer("registers.file") // (pairs * 2)
    resident = min(most, pairs * (file // halves)) if halves else most
    if usage.registers > machine.integer("registers.per_thread"):
        resident = 0
    ceiling = min(machine.integer("limits.threads_per_group"), resident)
    limits: Limits = {
        "threads": 0 if usage.threads > ceiling else machine.integer("limits.subgroups_per_unit") // subgroups,
        "registers": resident // width // subgroups,
    }
    memory = _align(usage.shared + usage.shared_dynamic, machine.integer("shared.granule"))
    if memory:
        fits = memory <= machine.integer("shared.per_group")
        limits["shared"] = machine.integer("shared.per_unit") // memory if fits else 0
    return _answer("apple7", limits, subgroups, machine.integer("limits.subgroups_per_unit"), "low")


def occupancy(machine: Machine, usage: Usage) -> Occupancy:
    """Occupancy of a compiled kernel on `machine`, by the rule that its model names.

    Where no rule is known (Apple M3 and later, CPUs, GPUs without published granules) the numbers are None and
    `reason` says why. Raises UnknownFact where the rule needs a fact that the model does not have.
    """
    fact = machine.facts().get("occupancy.rule")
    rule = fact.value if fact is not None else None
    match rule:
        case "nvidia":
            return nvidia(machine, usage)
        case "cdna" | "rdna":
            return amd(machine, usage)
        case "apple7":
            return apple7(machine, usage)
        case _:
            reason = (fact.note if fact is not None else "") or "no occupancy rule is published for it"
            return Occupancy("none", None, None, None, confidence="unknown", reason=f"{machine.name}: {reason}")
