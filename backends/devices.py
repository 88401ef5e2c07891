"""Tell whether a device that a runtime found is the one that a machine model describes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..hwmodels import Machine


def describes(machine: Machine, names: Iterable[str], architectures: Iterable[str] = ()) -> bool:
    """Whether a machine model describes a device with one of these names, or of one of these architectures.

    A device's model is matched by its pattern for names, never by its architecture: a similar device is another one.
    The model of an architecture (`sm_90`, `gfx942`) describes every device of it.
    """
    if machine.layer == "arch":
        return machine.id in architectures
    pattern = machine.match.get("name")
    return pattern is not None and any(re.fullmatch(pattern, n.strip(), re.IGNORECASE) for n in names)
