"""Whether a text's compiler may round `a*b + c` once: what its language says by default, unless the text forbids it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ..hwmodels import Machine
    from .base import KernelText

_FORBIDDEN: Final = re.compile(r"FP_CONTRACT\s+OFF|clang\s+fp\s+contract\s*\(\s*off\s*\)")
_OPTIONS: Final = ("-ffp-contract=off", "-fmad=false", "--fmad=false")


def contracts(text: KernelText, machine: Machine) -> bool:
    """Tell whether products and sums may be fused; where the machine model does not say, they are not."""
    allowed = machine.get("numerics.contract") in ("on", "fast", "relaxed")
    return allowed and not _FORBIDDEN.search(text.source) and not set(_OPTIONS) & set(text.options)
