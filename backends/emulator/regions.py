"""Regions of memory and how lanes index them: one for the launch, one per group, or one per thread."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from ...ir.types import Scalar, Struct
from .formats import MEMORY, POISON, SHIFT, UNSIGNED
from .lanes import Array, Mask
from .shadow import RaceShadow
from .state import State


class Per(Enum):
    """What has its own instance of a region."""

    LAUNCH = "launch"
    GROUP = "group"
    THREAD = "thread"


class Region:
    """A buffer or variable: `size` bytes per instance, of elements `elem`.

    `data` holds all instances, each `stride` bytes. `valid` has 255 for every byte that was written, None where all are
    valid; its axes over groups and threads have size 1 while the instances agree. `planes` is for domains that keep
    floats elsewhere.
    """

    def __init__(
        self, state: State, name: str, space: str, elem: Scalar, size: int, per: Per, *, writable: bool = True
    ) -> None:
        self.state = state
        self.name = name
        self.space = space
        self.elem = elem
        self.size = size
        self.stride = max(16, (size + 15) // 16 * 16)
        self.per = per
        self.writable = writable
        self.data: Array = np.zeros(0, np.uint8)
        self.valid: Array | None = None
        self.shadow: RaceShadow | None = None
        self.granule = elem.size
        self.planes: Any = None
        self.layout: Struct | None = None
        self._views: dict[int | Scalar, Array] = {}
        self._fine = 0  # reads of shared memory that found nothing invalid

    def allocate(self) -> None:
        """Give the region memory for the chunk at hand, filled with poison and without valid bytes."""
        s = self.state
        lead = {Per.LAUNCH: (), Per.GROUP: (s.groups,), Per.THREAD: (s.groups, s.threads)}[self.per]
        if self.data.shape[:-1] != lead or not self.data.size:
            self.data = np.empty((*lead, self.stride), np.uint8)
            self._views.clear()
        self.data.view(np.uint32)[...] = POISON
        self.forget()
        if self.shadow is not None:
            self.shadow.reset()

    def forget(self, mask: Mask = None) -> None:
        """Make the contents of the region invalid; with a mask, of those instances of a thread."""
        if mask is not None and self.valid is not None:
            self.valid = np.where(mask[..., None], np.uint8(0), self.valid)
            return
        lead = {Per.LAUNCH: (), Per.GROUP: (1,), Per.THREAD: (1, 1)}[self.per]
        self._fine = 0
        self.valid = np.zeros((*lead, self.stride), np.uint8)

    def view(self, scalar: Scalar) -> Array:
        """The data as memory elements of a type, instances on the leading axes."""
        view = self._views.get(scalar)
        if view is None:
            view = self._views[scalar] = self.data.view(MEMORY[scalar])
        return view

    def valid_view(self, scalar: Scalar) -> Array:
        """The validity of elements of a type's size: all bits set where every byte is valid."""
        assert self.valid is not None
        return self.valid.view(UNSIGNED[scalar.size])

    def fine(self) -> None:
        """Note a read that found nothing invalid; after a few of them, shared memory may be valid as a whole."""
        self._fine += 1
        if self.per is Per.GROUP and self._fine >= 8 and not self._fine & (self._fine - 1) and self.valid is not None:
            whole = self.valid[..., : self.size]
            if whole.min() == 255:
                self.valid = None

    @property
    def unit(self) -> int:
        """Bytes of an element as the program declares it."""
        return self.elem.size if self.layout is None else self.layout.size

    def element(self, offset: int, scalar: Scalar | None = None) -> str:
        """Name the element at a byte offset."""
        if self.layout is not None and scalar is None:
            return f"{self.space} {self.name}[{offset // self.layout.size}]"
        return f"{self.space} {self.name}[{offset // (scalar or self.elem).size}]"

    def mark(self, scalar: Scalar, index: Array, mask: Mask) -> None:
        """Make elements valid in the active lanes."""
        if self.valid is None:
            return
        if self.per is not Per.LAUNCH:
            lead = self.valid.shape[:-1]
            need = [max(axis, index.shape[i], 1 if mask is None else mask.shape[i]) for i, axis in enumerate(lead)]
            if list(lead) != need:
                self.valid = np.array(np.broadcast_to(self.valid, (*need, self.stride)), order="C")
        target = self.valid_view(scalar)
        if self.per is Per.THREAD and mask is None and index.shape[:2] == (1, 1):
            target[..., index.reshape(-1)] = np.iinfo(target.dtype).max
            return
        scatter(self, target, index, np.full((1, 1), np.iinfo(target.dtype).max, target.dtype), mask)


def index_of(offset: Array, scalar: Scalar, lanes: int) -> Array:
    """Element index of byte offsets; one more axis for the components of a vector."""
    index = offset >> SHIFT[scalar.size]
    return index if lanes == 1 else index[..., None] + np.arange(lanes)


def gather(region: Region, source: Array, index: Array) -> Array:
    """Elements of `source` (instances on its leading axes, each of size 1 or full) at `index`, always a copy.

    Indices out of range are clipped: lanes that have them are inactive, or were reported.
    """
    if region.per is Per.LAUNCH:
        return source.take(index, mode="clip")
    if region.per is Per.GROUP:
        if index.shape[0] == 1:
            return source.take(index[0], axis=1, mode="clip")
        if source.shape[0] == 1:
            return source[0].take(index, mode="clip")
        base = region.state.group_base * source.shape[1]
        return source.reshape(-1).take(index + (base[..., None] if index.ndim == 3 else base), mode="clip")
    n = source.shape[2]
    if index.shape[:2] == (1, 1):
        at = np.clip(index[0, 0], 0, n - 1)
        return source[:, :, at].copy()
    if source.shape[:2] == (1, 1):
        return source[0, 0].take(index, mode="clip")
    s = region.state
    if source.shape[:2] == s.shape:
        base = s.lane_base * n
        return source.reshape(-1).take(index + (base[..., None] if index.ndim == 3 else base), mode="clip")
    wide = index if index.ndim == 3 else index[..., None]
    wide = np.broadcast_to(np.clip(wide, 0, n - 1), (*s.shape, wide.shape[2]))
    out = np.take_along_axis(np.broadcast_to(source, (*s.shape, n)), wide, 2)
    return out if index.ndim == 3 else out[..., 0]


def scatter(region: Region, target: Array, index: Array, value: Array, mask: Mask) -> None:
    """Store into `target`, laid out as in `gather`, in the active lanes. All active indices must be in range."""
    if value.ndim < index.ndim:
        value = value[..., None]
    s = region.state
    if region.per is Per.GROUP and index.shape[0] == 1 and (mask is None or mask.shape[0] == 1):
        column = index[0]
        if mask is not None:
            chosen = np.flatnonzero(np.broadcast_to(mask[0], (max(mask.shape[1], column.shape[0], value.shape[1]),)))
            if not chosen.size:
                return
            if column.shape[0] > 1:
                column = column[chosen]
            if value.shape[1] > 1:
                value = value[:, chosen]
        if column.shape[0] == 1 and value.shape[1] > 1:
            value = value[:, -1:]
        target[:, column] = value
        return
    if region.per is Per.THREAD and index.shape[:2] == (1, 1) and target.shape[:2] == s.shape:
        if index.ndim == 2:
            slot, item = target[:, :, int(index[0, 0])], value
            np.copyto(slot, item) if mask is None else np.copyto(slot, item, where=mask)
            return
        for k, at in enumerate(index[0, 0]):
            item = value[..., k] if value.shape[2] > 1 else value[..., 0]
            slot = target[:, :, int(at)]
            np.copyto(slot, item) if mask is None else np.copyto(slot, item, where=mask)
        return
    if region.per is not Per.LAUNCH:
        rows = target.shape[:-1]
        base = np.arange(int(np.prod(rows)), dtype=np.int64).reshape(*rows, *(() if len(rows) == 2 else (1,)))
        base = base * target.shape[-1]
        index = index + (base[..., None] if index.ndim == 3 else base)
    shape = np.broadcast_shapes(index.shape, value.shape, () if mask is None else (*mask.shape, 1)[: index.ndim])
    flat = target.reshape(-1)
    if mask is None:
        flat[np.broadcast_to(index, shape)] = value
        return
    chosen = np.broadcast_to(mask[..., None] if len(shape) == 3 else mask, shape)
    flat[np.broadcast_to(index, shape)[chosen]] = np.broadcast_to(value, shape)[chosen]


@dataclass(slots=True)
class Pointer:
    """A pointer value: the region (or, where lanes differ, region numbers) and byte offsets (G or 1, T or 1)."""

    region: Region | Array
    offset: Array
