"""The gate `assembles`: the vendor's compiler takes the emitted text, and says what the kernel uses."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...backends.compilers import assemble
from ..report.schema import GateRecord, ResourcesRecord
from .gates import Said

if TYPE_CHECKING:
    from ...backends.base import KernelText
    from ...backends.compilers import Assembly
    from ...hwmodels import Machine


def gate_assembles(assembly: Assembly) -> Said:
    """Refute a text that its vendor's compiler rejects; unknown, with the reason, where none was asked."""
    if assembly.error:
        return Said("refuted", assembly.error)
    if assembly.reason:
        return Said("unknown", assembly.reason)
    return Said("tested", f"for {assembly.resources.target}" if assembly.resources else "")


def assembled(text: KernelText, machine: Machine) -> tuple[GateRecord, ResourcesRecord | None]:
    """Compile a text without a device; returns what the gate says and what the kernel uses, if a compiler told."""
    since = time.perf_counter()
    assembly = assemble(text, machine)
    said = gate_assembles(assembly)
    record = GateRecord(
        gate="assembles",
        verdict=said.verdict,
        backend=assembly.compiler,
        detail=said.detail,
        seconds=time.perf_counter() - since,
    )
    used = assembly.resources
    if used is None:
        return record, None
    return record, ResourcesRecord(
        compiler=used.compiler,
        target=used.target,
        registers=used.registers,
        scalar_registers=used.scalar_registers,
        shared_bytes=used.shared_bytes,
        spill_bytes=used.spill_bytes,
        note=used.note,
    )
