"""The kernel spec."""

from __future__ import annotations

from .expressions import Expression, ExpressionError, parse_expression
from .kernel import Kernel, SpecError
from .model import Argument, LaunchSpec, ReferenceSpec, Tolerance

__all__ = [
    "Argument",
    "Expression",
    "ExpressionError",
    "Kernel",
    "LaunchSpec",
    "ReferenceSpec",
    "SpecError",
    "Tolerance",
    "parse_expression",
]
