"""Checked loads and stores: bounds, alignment, validity, const, races; then the domain moves the values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...ir.nodes import Loc
from ...ir.types import U16, Scalar, Struct, Vector
from ..errors import ArgumentError
from .domain import Domain
from .formats import MEMORY
from .lanes import DEAD, Array, Mask, Value, meet, where
from .regions import Per, Pointer, Region, gather, index_of
from .shadow import ATOMIC, READ, WRITE, Conflict, Lanes
from .state import State
from .traffic import Traffic


@dataclass(frozen=True, slots=True)
class Access:
    """A place in the program that touches memory: number, value type, source place, alignment to check (1: none).

    `guess`: a read that only guesses what a compare-and-swap will find, see `guesses`; `told`: see `tickets`.
    `near`: it is atomic for its own group alone.
    """

    ident: int
    scalar: Scalar
    lanes: int
    align: int
    loc: Loc | None
    const: bool = False
    guess: bool = False
    told: bool = False
    near: bool = False

    @property
    def size(self) -> int:
        """Bytes."""
        return self.scalar.size * self.lanes


class Memory:
    """All regions of a run, and every access to them."""

    def __init__(self, state: State, domain: Domain) -> None:
        self.state = state
        self.domain = domain
        self.regions: list[Region] = []
        self.numbers: dict[int, int] = {}
        self.accesses: list[Access] = []
        self.traffic: Traffic | None = None

    def add(self, region: Region) -> Region:
        """Register a region."""
        self.numbers[id(region)] = len(self.regions)
        self.regions.append(region)
        return region

    def access(
        self,
        t: Scalar | Vector,
        loc: Loc | None,
        *,
        align: int = 1,
        const: bool = False,
        guess: bool = False,
        told: bool = False,
        near: bool = False,
    ) -> Access:
        """Register a place of the program that accesses memory."""
        vector = isinstance(t, Vector)
        scalar, lanes = (t.elem, t.lanes) if vector else (t, 1)
        made = Access(len(self.accesses), scalar, lanes, align, loc, const, guess, told, near)
        self.accesses.append(made)
        return made

    # pointers

    def merge(self, mask: Array, a: Pointer, b: Pointer) -> Pointer:
        """The pointer `a` in the lanes of the mask, `b` elsewhere."""
        offset = np.where(mask, a.offset, b.offset)
        if a.region is b.region:
            return Pointer(a.region, offset)
        return Pointer(np.where(mask, self._number(a), self._number(b)), offset)

    def _number(self, p: Pointer) -> Array:
        return np.full((1, 1), self.numbers[id(p.region)]) if isinstance(p.region, Region) else p.region

    def split(self, p: Pointer) -> list[tuple[Region, Mask]]:
        """The regions that a pointer of the active lanes refers to, each with its lanes."""
        mask = self.state.mask
        if isinstance(p.region, Region):
            return [(p.region, mask)]
        parts: list[tuple[Region, Mask]] = []
        for number in np.unique(p.region):
            lanes = meet(mask, p.region == number)
            if lanes.any():
                parts.append((self.regions[int(number)], lanes))
        return parts

    # accesses

    def load(self, p: Pointer, a: Access) -> Value:
        """Read what a pointer points to in the active lanes."""
        s = self.state
        if isinstance(p.region, Region):
            return self._load(p.region, p.offset, a)
        mask, out = s.mask, None
        for region, lanes in self.split(p):
            s.mask = lanes
            value = self._load(region, p.offset, a)
            out = value if out is None else where(lanes if lanes is not None else np.ones((1, 1), bool), value, out)
        s.mask = mask
        return self.domain.poison(a.scalar, a.lanes) if out is None else out

    def _load(self, region: Region, offset: Array, a: Access) -> Value:
        s = self.state
        s.count(f"loads.{region.space}")
        s.count(f"bytes.{region.space}", a.size)
        mask = self.check(region, offset, a, "reads")
        if mask is DEAD:
            return self.domain.poison(a.scalar, a.lanes)
        if self.traffic is not None:
            self.traffic.note(s, region, offset, a.size, mask, reads=True, writes=False)
        index = index_of(offset, a.scalar, a.lanes)
        if region.valid is not None:
            self._check_valid(region, index, a, mask, offset)
        if region.shadow is not None:
            cells = self._cells(region, offset, a)
            if a.guess:
                _, conflicts = region.shadow.guess(cells, mask, a.ident)
            else:
                _, conflicts = region.shadow.read(cells, mask, a.ident, told=a.told)
            self._report(region, conflicts, a, READ)
        return self.domain.load(region, a.scalar, index)

    def store(self, p: Pointer, a: Access, value: Value) -> None:
        """Write to what a pointer points to, in the active lanes."""
        s = self.state
        if isinstance(p.region, Region):
            self._store(p.region, p.offset, a, value)
            return
        mask = s.mask
        for region, lanes in self.split(p):
            s.mask = lanes
            self._store(region, p.offset, a, value)
        s.mask = mask

    def _store(self, region: Region, offset: Array, a: Access, value: Value) -> None:
        s = self.state
        s.count(f"stores.{region.space}")
        s.count(f"bytes.{region.space}", a.size)
        mask = self.check(region, offset, a, "writes")
        if mask is DEAD or not self.may_write(region, offset, a, mask):
            return
        if self.traffic is not None:
            self.traffic.note(s, region, offset, a.size, mask, reads=False, writes=True)
        index = index_of(offset, a.scalar, a.lanes)
        who, lost = None, None
        if region.shadow is not None:
            same = self._same(region, index, a, value)
            who, conflicts, lost = region.shadow.write(self._cells(region, offset, a), mask, a.ident, same, told=a.told)
            self._report(region, conflicts, a, WRITE)
        self.domain.store(region, a.scalar, index, value, mask)
        region.mark(a.scalar, index, mask)
        if who is not None and lost is not None and region.shadow is not None:
            self._report_collision(region, who, lost, self._same(region, index, a, value), a)

    def _same(self, region: Region, index: Array, a: Access, value: Value) -> Callable[[Lanes], Array]:
        def same(who: Lanes) -> Array:
            here = self.domain.load(region, a.scalar, index)
            equal = self.domain.identical(here, value, a.scalar)
            equal = equal.all(axis=2) if equal.ndim == 3 else equal
            shape = np.broadcast_shapes(equal.shape, who.shape[:2])
            if shape[0] > who.shape[0]:  # a shared region tracked once for all groups
                equal, shape = equal.all(axis=0, keepdims=True), (who.shape[0], shape[1])
            full = np.broadcast_to(equal, shape)
            if len(who.shape) == 3:
                full = np.broadcast_to(full[..., None], (*shape, who.shape[2]))
            flat = full.reshape(-1)
            return flat if who.place is None else flat[who.place]

        return same

    def note_update(self, region: Region, index: Array, offset: Array, a: Access, mask: Mask) -> None:
        """Check validity and races of an atomic update."""
        if self.traffic is not None:
            self.traffic.note(self.state, region, offset, a.size, mask, reads=True, writes=True)
        if region.valid is not None and not self._check_valid(region, index, a, mask, offset):
            region.mark(a.scalar, index, mask)
        if region.shadow is not None:
            cells = self._cells(region, offset, a)
            _, conflicts = region.shadow.update(cells, mask, a.ident, told=a.told, near=a.near)
            self._report(region, conflicts, a, ATOMIC)

    # checks

    def check(self, region: Region, offset: Array, a: Access, verb: str) -> Mask:
        """Report accesses out of bounds and misaligned ones; gives the lanes that may go on, DEAD for none."""
        mask = self.state.mask
        limit = region.size - a.size
        if limit < 0 or int(offset.view(np.uint64).max()) > limit:
            bad = meet(mask, (offset < 0) | (offset > limit))
            if bad.any():
                self._report_bounds(region, offset, a, verb, bad)
                mask = np.broadcast_to(~bad if mask is None else mask & ~bad, np.broadcast_shapes(bad.shape, (1, 1)))
                if not mask.any():
                    return DEAD
        if a.align > 1 and int(np.bitwise_or.reduce(offset, axis=None)) & (a.align - 1):
            bad = meet(mask, (offset & (a.align - 1)) != 0)
            if bad.any():
                if self.state.findings.wants("misaligned", a.loc, region.name):
                    g, t = self.state.first_lane(bad)
                    at = int(np.broadcast_to(offset, bad.shape)[g, t])
                    self.state.findings.add(
                        "misaligned",
                        f"{self.state.who(g, t)} {verb} {a.size} bytes at byte {at} of {region.space} {region.name}; "
                        f"the access needs an alignment of {a.align} bytes",
                        a.loc,
                        region.name,
                        buffer=region.name,
                        element=at // region.unit,
                        threads=(self.state.who(g, t),),
                    )
                mask = ~bad if mask is None else mask & ~bad
                if not mask.any():
                    return DEAD
        return mask

    def may_write(self, region: Region, offset: Array, a: Access, mask: Mask) -> bool:
        """Report writes to what the kernel may only read."""
        if region.writable and not a.const:
            return True
        if self.state.findings.wants("read-only", a.loc, region.name):
            lanes = self.state.full(mask)
            g, t = self.state.first_lane(lanes)
            at = int(np.broadcast_to(offset, self.state.shape)[g, t])
            why = "is an input" if not region.writable else "is const here"
            self.state.findings.add(
                "read-only",
                f"{self.state.who(g, t)} writes {region.element(at)}, which {why}",
                a.loc,
                region.name,
                buffer=region.name,
                element=at // region.unit,
                threads=(self.state.who(g, t),),
            )
        return False

    def _report_bounds(self, region: Region, offset: Array, a: Access, verb: str, bad: Array) -> None:
        if not self.state.findings.wants("out-of-bounds", a.loc, region.name):
            return
        g, t = self.state.first_lane(bad)
        at = int(np.broadcast_to(offset, bad.shape)[g, t])
        if region.space == "null":
            text = f"{self.state.who(g, t)} {verb} through a null pointer ({region.name})"
        else:
            count = region.size // (region.layout or region.elem).size
            text = f"{self.state.who(g, t)} {verb} {region.element(at)}, which has {count} elements"
            if not 0 <= at < region.size - region.size % region.elem.size and a.size > region.elem.size:
                text += f" ({a.size} bytes at byte {at})"
        self.state.findings.add(
            "out-of-bounds", text, a.loc, region.name,
            buffer=region.name, element=at // region.unit, threads=(self.state.who(g, t),),
        )  # fmt: skip

    def _check_valid(self, region: Region, index: Array, a: Access, mask: Mask, offset: Array) -> bool:
        """Report reads of what nothing has written; True if there are none, also in inactive lanes."""
        marks = gather(region, region.valid_view(a.scalar), index)
        whole = np.iinfo(marks.dtype).max
        if marks.size and marks.min() == whole:
            region.fine()
            return True
        bad = marks != whole
        bad = meet(mask, bad.any(axis=2) if bad.ndim == 3 else bad)
        if not bad.any() or not self.state.findings.wants("uninitialised", a.loc, region.name):
            return False
        g, t = self.state.first_lane(bad)
        at = int(np.broadcast_to(offset, np.broadcast_shapes(bad.shape, offset.shape))[g, t])
        text = f"{self.state.who(g, t)} reads {region.element(at)}, which nothing has written"
        self.state.findings.add(
            "uninitialised", text, a.loc, region.name,
            buffer=region.name, element=at // region.unit, threads=(self.state.who(g, t),),
        )  # fmt: skip
        return False

    def _cells(self, region: Region, offset: Array, a: Access) -> Array:
        first = offset // region.granule if region.granule not in (1, 4) else offset >> (region.granule >> 1)
        n = -(-a.size // region.granule)
        return first if n == 1 else first[..., None] + np.arange(n)

    def _report(self, region: Region, conflicts: list[Conflict], a: Access, verb: str) -> None:
        for c in conflicts:
            other = self.accesses[c.other_access]
            if not self.state.findings.wants("race", a.loc, f"{region.name} {other.loc}"):
                continue
            s = self.state
            at = f" at {other.loc}" if other.loc else ""
            within = c.other_group == int(s.group_numbers[c.group, 0])
            why = "with no barrier between" if within else "and nothing orders different groups"
            s.findings.add(
                "race",
                f"{s.who(c.group, c.thread)} {verb} {region.element(c.cell * region.granule)}, which "
                f"{s.who_in(c.other_group, c.other_thread)} {c.kind}{at}, {why}",
                a.loc,
                f"{region.name} {other.loc}",
                buffer=region.name,
                element=c.cell * region.granule // region.unit,
                threads=(s.who(c.group, c.thread), s.who_in(c.other_group, c.other_thread)),
            )

    def _report_collision(
        self, region: Region, who: Lanes, lost: Array, same: Callable[[Lanes], Array], a: Access
    ) -> None:
        bad = lost & ~same(who)
        if not bad.any() or not self.state.findings.wants("race", a.loc, f"{region.name} {a.loc}"):
            return
        s = self.state
        i = int(np.flatnonzero(bad)[0])
        g, t = who.lane(i)
        winner = int(region.shadow.writer[who.cell[i]]) if region.shadow is not None else 0
        number = int(s.group_numbers[g, 0])
        if region.per is Per.LAUNCH:
            number, winner = divmod(winner, s.threads)
        cells = region.shadow.cells if region.shadow is not None else 1
        s.findings.add(
            "race",
            f"{s.who(g, t)} and {s.who_in(number, winner)} write different values to "
            f"{region.element(int(who.cell[i]) % cells * region.granule)} in one statement",
            a.loc,
            f"{region.name} {a.loc}",
            buffer=region.name,
            element=int(who.cell[i]) % cells * region.granule // region.unit,
            threads=(s.who(g, t), s.who_in(number, winner)),
        )


def null_region(state: State, name: str, elem: Scalar) -> Region:
    """A region of no bytes, for null pointers."""
    region = Region(state, name, "null", elem, 0, Per.LAUNCH)
    region.data = np.zeros(16, np.uint8)
    return region


def buffer_region(state: State, name: str, elem: Scalar, array: Any, role: str, layout: Struct | None = None) -> Region:
    """A region holding a copy of an argument: read-only for role `in`, not yet written for role `out`."""
    flat = np.ascontiguousarray(array).reshape(-1)
    stored = MEMORY[elem]
    same_size = flat.dtype.itemsize == stored.itemsize
    if layout is not None:
        if flat.nbytes % layout.size:
            raise ArgumentError(f"argument {name}: expected whole elements of {layout}, {layout.size} bytes each")
    elif flat.dtype != stored and not (same_size and (flat.dtype.kind in "bV" or elem.kind == "bfloat" or elem == U16)):
        raise ArgumentError(f"argument {name}: expected elements of {elem} ({stored}), got {flat.dtype}")
    region = Region(state, name, "global", elem, flat.nbytes, Per.LAUNCH, writable=role != "in")
    region.layout = layout
    region.allocate()
    region.data[: region.size] = flat.view(np.uint8)
    if role != "out":
        region.valid = None
    return region
