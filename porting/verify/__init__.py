"""The gates that a candidate passes, and the oracle that they ask."""

from __future__ import annotations

from .compare import Compared, compare
from .oracle import Expectation, Expected, Oracle
from .verify import Case, Runner, Verification, verify, verify_with

__all__ = [
    "Case",
    "Compared",
    "Expectation",
    "Expected",
    "Oracle",
    "Runner",
    "Verification",
    "compare",
    "verify",
    "verify_with",
]
