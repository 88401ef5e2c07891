"""The gates that a candidate passes, and the oracle that they ask."""

from __future__ import annotations

from .compare import Compared, compare
from .expected import Expectation, Expected
from .oracle import Oracle
from .sizes import Case, cases_for
from .verify import Runner, Verification, verify, verify_with

__all__ = [
    "Case",
    "Compared",
    "Expectation",
    "Expected",
    "Oracle",
    "Runner",
    "Verification",
    "cases_for",
    "compare",
    "verify",
    "verify_with",
]
