"""Whether a text's compiler may round `a*b + c` once: what its language says by default, unless options forbid it.

A pragma that forbids it is no matter of the whole text: the reader marks the operations that it governs (`rounded`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ..hwmodels import Machine
    from .base import KernelText

_OPTIONS: Final = ("-ffp-contract=off", "-fmad=false", "--fmad=false")


def contracts(text: KernelText, machine: Machine) -> bool:
    """Tell whether products and sums may be fused; where the machine model does not say, they are not."""
    allowed = machine.get("numerics.contract") in ("on", "fast", "relaxed")
    return allowed and not set(_OPTIONS) & set(text.options)
