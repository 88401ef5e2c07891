"""Mutants of a program: one small defect each, planted in the IR, to measure what the gates catch.

The operators (verification.md §2.7) stand in the modules of their families; `plant` finds their places. Every mutant is
a valid program, different from the original; `equivalence` shows of some that they are no defects.
"""

from __future__ import annotations

from .equivalence import Facts, same_by_proof
from .place import OPERATORS
from .plant import Mutant, mutants, sample

__all__ = ["OPERATORS", "Facts", "Mutant", "mutants", "same_by_proof", "sample"]
