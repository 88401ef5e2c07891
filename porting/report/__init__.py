"""Reports of a port: the schema, the pages made from it, and writing and reading them."""

from __future__ import annotations

from .schema import (
    SCHEMA_VERSION,
    DecisionRecord,
    DiagnosticRecord,
    Environment,
    FactRecord,
    Floor,
    GateRecord,
    KernelRecord,
    MachineRecord,
    PortReport,
    ReplayRecord,
    SourceText,
    Timing,
    WorstElement,
)
from .write import ReportError, load_report, write_index, write_report

__all__ = [
    "SCHEMA_VERSION",
    "DecisionRecord",
    "DiagnosticRecord",
    "Environment",
    "FactRecord",
    "Floor",
    "GateRecord",
    "KernelRecord",
    "MachineRecord",
    "PortReport",
    "ReplayRecord",
    "ReportError",
    "SourceText",
    "Timing",
    "WorstElement",
    "load_report",
    "write_index",
    "write_report",
]
