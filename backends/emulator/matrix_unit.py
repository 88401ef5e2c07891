"""How far the sums of a matrix unit may be from exact ones: such units align the terms of a sum and truncate them.

NVIDIA's (Fasi, Higham, Mikaitis, Pranesh 2021, Numerical behavior of NVIDIA tensor cores, PeerJ CS 7:e330; the widths
from Xie, Wang, Yang, Yang 2025, MMA-Sim, arXiv:2511.10909, which has them bit for bit): products are exact; those of a
block and what is there already are cut off `bits` below the exponent of the largest of them, and added exactly; the
sum is truncated to f32. A subnormal operand is not normalised: it has the exponent of the smallest normal number, so
that products of subnormal numbers alone lose as many digits again.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ...ir import nodes as ir
from ...ir.types import F32, Scalar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...hwmodels import Machine


@dataclass(frozen=True, slots=True)
class MatrixUnit:
    """A unit that adds `block` bytes of each operand at a time, terms cut off `bits` below the largest exponent."""

    bits: int
    block: int

    def share(self, terms: int, elem: Scalar) -> float:
        """Error of a sum of `terms` products of elements, as a share of the largest term or partial result."""
        length = min(terms, max(self.block // elem.size, 1))
        blocks = -(-terms // length)
        return blocks * ((length + 1) * 2.0**-self.bits + 2.0**-23)


TENSOR_CORES: Final[Mapping[str, MatrixUnit]] = MappingProxyType(
    {"7.0": MatrixUnit(23, 8), "7.5": MatrixUnit(24, 16), "8": MatrixUnit(24, 16), "": MatrixUnit(25, 32)}
)
"""By the compute capability, or how it begins; from Hopper on all are as wide."""


def unit_of(machine: Machine, language: str) -> MatrixUnit | None:
    """Return what multiplies matrices on a machine where it truncates; None where no such unit is known."""
    version = str(machine.get("isa.compute_capability", ""))
    if language != "cuda" or not version:
        return None
    return next(unit for start, unit in TENSOR_CORES.items() if version.startswith(start))


@dataclass(frozen=True)
class UnitSum(ir.Node):
    """What a unit makes of `value`, the sum of `terms` products of `elem` onto another number.

    `reach` is the largest magnitude of its terms, subnormal factors taken as the smallest normal number, and of its
    partial results.
    """

    value: ir.Expr
    reach: ir.Expr
    terms: int
    elem: Scalar
    type: Scalar = F32
