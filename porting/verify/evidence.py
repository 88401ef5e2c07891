"""What the gates look at: the runs of a candidate at one size, and what was expected of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from ...backends.base import RunResult
    from ..spec import Kernel


@dataclass(frozen=True)
class Expected:
    """The expected outputs: flat arrays by name, float64 for floats; `bounds` per element where one was derived.

    `basis` says where the values, `bound_basis` where the bounds come from.
    """

    values: Mapping[str, np.ndarray]
    bounds: Mapping[str, np.ndarray]
    basis: str
    bound_basis: str


@dataclass(frozen=True)
class Evidence:
    """One size with one kind of inputs.

    `first` and `again` are runs on the same arguments (an emulated device shuffles its groups for the second), `other`
    a run with the outputs poisoned by another pattern.
    """

    kernel: Kernel
    size: Mapping[str, int]
    inputs: str
    backend: str
    args: Mapping[str, Any]
    poisons: tuple[int, int]
    first: RunResult
    other: RunResult
    again: RunResult
    expected: Expected
    order_free: bool  # the kernel adds floats atomically: its rounding depends on the order
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    @property
    def outputs(self) -> list[str]:
        """Names of the out and inout buffers."""
        return [n for n, a in self.kernel.args.items() if a.role in ("out", "inout")]

    @property
    def poisoned(self) -> list[str]:
        """Names of the buffers that were poisoned beforehand."""
        return [n for n, a in self.kernel.args.items() if a.role == "out"]


# quiet NaNs as floats, and large odd integers: patterns that no kernel writes by chance in every place
POISONS = (0x7FC0DEAD, 0xFFC5BEEF)


def poison(count: int, dtype: np.dtype[Any], pattern: int) -> np.ndarray:
    """Return a flat array whose bytes repeat a 32-bit pattern."""
    import numpy as np

    size = count * dtype.itemsize
    words = np.full(-(-size // 4), pattern, np.uint32)
    if dtype == np.bool_:
        return np.full(count, pattern & 1, np.bool_)
    if dtype == np.float64:
        high = np.full(count, 0x7FF8DEAD if pattern == POISONS[0] else 0xFFF9BEEF, np.uint64)
        return ((high << np.uint64(32)) | np.uint64(pattern)).view(np.float64)
    return words.view(np.uint8)[:size].view(dtype)
