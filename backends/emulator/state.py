"""What a run is about and where it stands: the launch, the chunk at hand, the active lanes, clocks, counts."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import numpy as np

from ...ir.nodes import Loc
from ..base import Launch
from .errors import StepLimit
from .findings import Collector
from .lanes import DEAD, Array, Mask, union


@dataclass(slots=True)
class Frame:
    """One activation of a function: the lanes that returned, how often any did, and the value returned."""

    returned: Mask = field(default_factory=lambda: DEAD)
    returns: int = 0
    value: object = None


class State:
    """Mutable state of a run. Lanes are (group of the chunk, thread of the group).

    Clocks for the race detector: `now` ticks at every barrier; `epoch` is the tick after a group's last barrier, shaped
    (G or 1, 1); `subepoch` that of a subgroup's last barrier, (G or 1, T or 1). An access stamped before a thread's
    epoch happened before what the thread does now. Both are kept for shared memory (`shared_*`) and global memory
    (`global_*`) apart, since a barrier may order one of them only.
    """

    def __init__(
        self, launch: Launch, width: int, language: str, max_steps: int, findings: Collector, deadline: float = math.inf
    ) -> None:
        self.launch = launch
        self.width = width
        self.language = language
        self.max_steps, self.deadline, self.started = max_steps, deadline, time.monotonic()
        self.findings = findings
        self.suspects = Collector()  # undefined results: defects only if they are used
        self.steps = 0
        self.counts: dict[str, int] = {}
        self.threads = launch.threads
        linear = np.arange(self.threads, dtype=np.int64)[None, :]
        bx, by, _ = launch.block
        self.linear: Array = linear
        self.thread_index: list[Array] = [
            (linear % bx).astype(np.uint32),
            (linear // bx % by).astype(np.uint32),
            (linear // (bx * by)).astype(np.uint32),
        ]
        for axis in range(3):
            if launch.block[axis] == 1:
                self.thread_index[axis] = np.zeros((1, 1), np.uint32)
        self.lane: Array = linear % width
        self.subgroup: Array = linear // width
        self.subgroup_of: Array = self.subgroup[0].astype(np.int16)
        self.now = 1
        total = launch.grid[0] * launch.grid[1] * launch.grid[2]
        # last device fence of each group, its first global atomic behind a fence, and its last global atomic
        self.fenced = np.zeros(total, np.int64)
        self.released = np.zeros(total, np.int64)
        self.acquired = np.zeros(total, np.int64)
        self.tracks_fences = False
        self.begin(np.zeros(1, np.int64))

    def begin(self, groups: Array) -> None:
        """Start a chunk: the linear numbers of its groups."""
        self.group_numbers: Array = groups.astype(np.int64)[:, None]
        self.groups = len(groups)
        gx, gy, _ = self.launch.grid
        parts = [self.group_numbers % gx, self.group_numbers // gx % gy, self.group_numbers // (gx * gy)]
        self.group_index = [(p if (p != p[0]).any() else p[:1]).astype(np.uint32) for p in parts]
        self.group_base: Array = np.arange(self.groups, dtype=np.int64)[:, None]
        self.lane_base: Array = self.group_base * self.threads + self.linear
        self.global_thread: Array = self.group_numbers * self.threads + self.linear
        self.mask: Mask = None
        self.exited: Mask = DEAD
        self.breaks: Mask = DEAD
        self.continues: Mask = DEAD
        self.frame = self.kernel = Frame()
        self.now += 1
        now: Array = np.full((1, 1), self.now, np.int64)
        self.shared_epoch = self.shared_subepoch = self.global_epoch = self.global_subepoch = now
        self._counted: tuple[Mask, int] = (None, self.groups * self.threads)
        self._places: dict[tuple[int, ...], tuple[Mask, Array]] = {}

    @property
    def shape(self) -> tuple[int, int]:
        """Groups of the chunk, threads of a group."""
        return self.groups, self.threads

    def active(self) -> int:
        """Number of active lanes."""
        mask = self.mask
        if mask is None:
            return self.groups * self.threads
        if self._counted[0] is not mask:
            scale = self.groups // mask.shape[0] * (self.threads // mask.shape[1])
            self._counted = (mask, int(np.count_nonzero(mask)) * scale)
        return self._counted[1]

    def count(self, key: str, each: int = 1) -> None:
        """Add `each` per active lane to a counter."""
        self.counts[key] = self.counts.get(key, 0) + each * self.active()

    def places(self, mask: Array, shape: tuple[int, ...]) -> Array:
        """Flat positions of the lanes of a mask in an array of that shape, (G or 1, T) or (G or 1, T, n)."""
        known = self._places.get(shape)
        if known is None or known[0] is not mask:
            whole = mask if mask.shape == shape[:2] else np.broadcast_to(mask, shape[:2])
            full = np.broadcast_to(whole[..., None], shape) if len(shape) == 3 else whole
            known = self._places[shape] = (mask, np.flatnonzero(full))
        return known[1]

    def spend(self, loc: Loc | None) -> None:
        """Check the limits; called once per loop iteration. Raises StepLimit."""
        if time.monotonic() > self.deadline:
            seconds = self.deadline - self.started
            raise StepLimit(f"still running after {seconds:.3g} s of emulation; the loop may never end", loc)
        if self.steps > self.max_steps:
            raise StepLimit(f"still running after {self.max_steps} statement executions; the loop may never end", loc)

    def leave(self) -> None:
        """The active lanes return from the current function."""
        self.frame.returned = union(self.frame.returned, self.mask)
        self.frame.returns += 1
        self.mask = DEAD

    def full(self, mask: Mask) -> Array:
        """A mask as a full (G, T) array, read-only."""
        return np.broadcast_to(np.ones((1, 1), bool) if mask is None else mask, self.shape)

    def first_lane(self, bad: Array) -> tuple[int, int]:
        """Group (of the chunk) and thread of the first lane in a non-empty mask."""
        g, t = np.argwhere(bad.reshape(bad.shape[0], bad.shape[1], -1).any(axis=2))[0]
        return int(g), int(t)

    def who(self, group: int, thread: int) -> str:
        """Name a lane: group as an index of the chunk, thread linear."""
        return self.who_in(int(self.group_numbers[group, 0]), thread)

    def who_in(self, number: int, thread: int) -> str:
        """Name a thread of the group with a linear number, in coordinates where a size has more than one axis."""
        return f"thread {_coordinates(thread, self.launch.block)} of group {_coordinates(number, self.launch.grid)}"


def _coordinates(linear: int, size: tuple[int, int, int]) -> str:
    x, y, z = size
    if y == z == 1:
        return str(linear)
    at = (linear % x, linear // x % y, linear // (x * y))
    return f"({', '.join(map(str, at if z > 1 else at[:2]))})"
