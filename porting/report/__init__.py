"""Reports of a port: the schema, the pages made from it, and writing and reading them."""

from __future__ import annotations

from .schema import (
    SCHEMA_VERSION,
    CountsRecord,
    DecisionRecord,
    DiagnosticRecord,
    Environment,
    FactRecord,
    Floor,
    GateRecord,
    IdeaRecord,
    KernelRecord,
    MachineRecord,
    PortReport,
    ReplayRecord,
    RivalRecord,
    SourceText,
    SwarmRecord,
    Timing,
    WorstElement,
)
from .write import ReportError, load_report, write_index, write_report

__all__ = [
    "SCHEMA_VERSION",
    "CountsRecord",
    "DecisionRecord",
    "DiagnosticRecord",
    "Environment",
    "FactRecord",
    "Floor",
    "GateRecord",
    "IdeaRecord",
    "KernelRecord",
    "MachineRecord",
    "PortReport",
    "ReplayRecord",
    "ReportError",
    "RivalRecord",
    "SourceText",
    "SwarmRecord",
    "Timing",
    "WorstElement",
    "load_report",
    "write_index",
    "write_report",
]
