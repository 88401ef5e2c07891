"""How a subgroup's accesses fall on cache lines and on the banks of shared memory, and what memory must move."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from .lanes import Array, Mask

if TYPE_CHECKING:
    from ...hwmodels import Machine
    from .regions import Region
    from .state import State


@dataclass(slots=True)
class _Lines:
    """The lines of a buffer that were fetched from memory, and those that were written."""

    region: Region
    fetched: Array
    written: Array


@dataclass(slots=True)
class Traffic:
    """Counts transactions of global memory and cycles of shared memory, one access of a subgroup at a time.

    `line`: bytes that global memory moves at once (a sector where lines have sectors); `banks` of `bank_width` bytes:
    0 where the machine has none, or they are not known. The model is that of NVIDIA's guides (CUDA C++ Best Practices
    Guide, coalesced access; shared memory and banks): an access moves every line that it touches once, and takes as
    many cycles as the bank with the most different words has of them. Counters: `requests.global` and
    `requests.shared`, accesses of subgroups; `transactions.global` beside `ideal_transactions.global`, for as many
    bytes in a row; `cycles.shared` beside `ideal_cycles.shared`, for words that are spread over all banks.

    `memory.read` and `memory.written` are bytes that no cache can save: each line of a buffer that the kernel reads
    before it writes it comes from memory once, and each line that it writes goes back once, however often they are
    used in between. Where a machine's lines are not known, elements stand for them.
    """

    line: int
    banks: int
    bank_width: int
    lines: dict[int, _Lines] = field(default_factory=dict)

    @classmethod
    def of(cls, machine: Machine) -> Traffic:
        """Read what the machine model knows."""

        def known(path: str) -> int:
            value = machine.get(path, None)
            return int(value) if isinstance(value, int | float) else 0

        line = known("cache.sector") or known("cache.line")
        return cls(line, known("shared.banks"), known("shared.bank_width") or 4)

    def note(
        self, s: State, region: Region, offset: Array, size: int, mask: Mask, *, reads: bool, writes: bool
    ) -> None:
        """Count one access: byte offsets (G or 1, T or 1) of `size` bytes in the lanes of the mask.

        An atomic both reads and writes.
        """
        space = region.space
        if not size or space not in ("global", "shared") or (space == "shared" and not self.banks):
            return
        unit = self.bank_width if space == "shared" else self.line or region.unit
        rows = max(offset.shape[0], 1 if mask is None else mask.shape[0])
        times = s.groups // rows  # groups that do the same in shared memory; in global memory they move the same lines
        at, here = _by_subgroup(s, offset, mask, rows)
        first, last = at // unit, (at + size - 1) // unit
        most = (size + unit - 2) // unit + 1  # units that an access of this size can touch
        touched = np.concatenate([np.minimum(first + k, last) for k in range(most)], axis=1)
        touched.sort(axis=1)  # lanes that take no part are negative, in front
        new = touched >= 0
        new[:, 1:] &= touched[:, 1:] != touched[:, :-1]
        distinct = np.count_nonzero(new, axis=1)
        self._add(s, f"requests.{space}", int(np.count_nonzero(distinct)) * times)
        if space == "global":
            self._mark(region, unit, touched[new], reads=reads, writes=writes)
            if self.line:
                lanes = np.count_nonzero(here, axis=1)
                self._add(s, "transactions.global", int(distinct.sum()) * times)
                self._add(s, "ideal_transactions.global", int((-(-lanes * size // unit)).sum()) * times)
            return
        row, _ = np.nonzero(new)
        words = np.bincount(row * self.banks + touched[new] % self.banks, minlength=len(new) * self.banks)
        self._add(s, "cycles.shared", int(words.reshape(len(new), self.banks).max(axis=1).sum()) * times)
        self._add(s, "ideal_cycles.shared", int((-(-distinct // self.banks)).sum()) * times)

    def _mark(self, region: Region, unit: int, touched: Array, *, reads: bool, writes: bool) -> None:
        lines = self.lines.get(id(region))
        if lines is None:
            count = -(-region.size // unit)
            lines = self.lines[id(region)] = _Lines(region, np.zeros(count, bool), np.zeros(count, bool))
        if reads:
            lines.fetched[touched[~lines.written[touched]]] = True
        if writes:
            lines.written[touched] = True

    def finish(self, s: State) -> None:
        """Add up what memory must move."""
        for lines in self.lines.values():
            unit = self.line or lines.region.unit
            tail = lines.region.size % unit  # a buffer's last line may be part of one
            for key, moved in (("memory.read", lines.fetched), ("memory.written", lines.written)):
                less = unit - tail if tail and moved[-1] else 0
                self._add(s, key, int(np.count_nonzero(moved)) * unit - less)

    @staticmethod
    def _add(s: State, key: str, count: int) -> None:
        s.counts[key] = s.counts.get(key, 0) + count


def _by_subgroup(s: State, offset: Array, mask: Mask, rows: int) -> tuple[Array, Array]:
    """Offsets as one row per subgroup, negative in lanes that take no part, and which ones do."""
    shape = (rows, s.threads)
    here = np.broadcast_to(np.ones((1, 1), bool) if mask is None else mask, shape)
    short = -s.threads % s.width
    here = np.pad(here, ((0, 0), (0, short)))
    at = np.where(here, np.pad(np.broadcast_to(offset, shape), ((0, 0), (0, short))), -(1 << 40))
    return at.reshape(-1, s.width), here.reshape(-1, s.width)


def diverging(s: State, one: Array, other: Array) -> int:
    """How many subgroups have lanes in both masks."""
    _, a = _by_subgroup(s, s.linear, one, s.groups)
    _, b = _by_subgroup(s, s.linear, other, s.groups)
    return int(np.count_nonzero(a.any(axis=1) & b.any(axis=1)))
