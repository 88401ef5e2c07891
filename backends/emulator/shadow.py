"""Race detection: for every cell of a buffer its last writer, two of its readers and two of its atomic users.

The method is Oclgrind's (pairs of accesses that nothing orders, so that races the schedule hid are found too) with
FastTrack's economy: in a run without races all writes of a cell are ordered, so the last one stands for all, and a
write conflicts with some reader exactly if it conflicts with one of two readers that are as far apart as possible
(other group, other subgroup, other thread). Where lanes write one value to one cell in one statement, which is benign,
all of them are writers: then two writers are kept in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .lanes import Array, Mask
from .state import State

READ, WRITE, ATOMIC = "reads", "writes", "updates atomically"
GUESS = "guesses"
NEAR = "updates atomically, one of the two for its own group alone,"
_NONE, _SEVERAL = -1, -2
_FLUSH_AT = 1 << 21  # pending read records, in elements


_FAR = np.array([2, 1], np.int8)  # within a group: in another subgroup, in the same one
_OTHER_GROUP = np.int8(3)


@dataclass(slots=True)
class Lanes:
    """One access of the active lanes, flattened: cell, thread, epochs (scalars where uniform), the order of lanes."""

    cell: Array
    thread: Array
    epoch: Array | int
    subepoch: Array | int
    place: Array | None  # index of each entry in the unmasked (G, T, cells) order; None: all of it
    shape: tuple[int, ...]

    def pick(self, which: Array) -> Lanes:
        """The entries at some positions."""
        place = which if self.place is None else self.place[which]
        epoch = self.epoch if isinstance(self.epoch, int) else self.epoch[which]
        sub = self.subepoch if isinstance(self.subepoch, int) else self.subepoch[which]
        return Lanes(self.cell[which], self.thread[which], epoch, sub, place, self.shape)

    def lane(self, position: int) -> tuple[int, int]:
        """Group (of the chunk) and thread of an entry."""
        flat = position if self.place is None else int(self.place[position])
        at = np.unravel_index(flat, self.shape)
        return int(at[0]), int(at[1])


class _Pair:
    """Two users of each cell, chosen as far apart as possible; `stamp` and `access` belong to them.

    `apart` marks cells whose two users are as far apart as there are threads: later ones add nothing to them.
    """

    def __init__(self, cells: int) -> None:
        self.thread = np.full((2, cells), -1, np.int64)
        self.stamp = np.zeros((2, cells), np.int64)
        self.access = np.zeros((2, cells), np.int32)
        self.apart: Array = np.zeros((1, cells), bool)
        self.notes = 0

    def repeat(self, rows: int) -> None:
        """Give each of `rows` groups its own copy."""
        for name in ("thread", "stamp", "access", "apart"):
            setattr(self, name, np.tile(getattr(self, name), (1, rows)))

    def put(self, slot: int, cell: Array, thread: Array, stamp: int, access: int) -> None:
        """Record users."""
        self.thread[slot][cell] = thread
        self.stamp[slot][cell] = stamp
        self.access[slot][cell] = access


class RaceShadow:
    """Shadow of one region. `shared` regions have `cells` cells per group, others `cells` in all.

    A shared region whose accesses do not depend on the group is tracked once for all groups, until one does.
    """

    def __init__(self, state: State, cells: int, *, shared: bool) -> None:
        self.state = state
        self.cells = cells
        self.shared = shared
        self.reset()

    def reset(self) -> None:
        """Forget everything: a new chunk starts in shared memory."""
        self.rows = 1
        self.writer = np.full(self.cells, -1, np.int64)
        self.write_stamp = np.zeros(self.cells, np.int64)
        self.write_access = np.zeros(self.cells, np.int32)
        self.writers: _Pair | None = None
        self.readers: _Pair | None = None
        self.atomics: _Pair | None = None
        self.near: _Pair | None = None  # those of the atomic users that are atomic for their own group alone
        self.guesses: _Pair | None = None  # readers that atomics do not disturb
        self.updater: Array | None = None  # the last atomic user of each cell, and when
        self.update_stamp: Array | None = None
        self.pending: list[tuple[Lanes, int, int]] = []
        self.pending_size = 0
        self.summed = 0  # so many of the pending reads are in `sole`
        self.sole: Array | None = None  # the thread that read each cell; _NONE, or _SEVERAL
        self.last = {READ: -1, WRITE: -1, ATOMIC: -1, GUESS: -1}

    @property
    def epoch(self) -> Array:
        """The ticks after the last barriers of groups that ordered this memory."""
        return self.state.shared_epoch if self.shared else self.state.global_epoch

    @property
    def subepoch(self) -> Array:
        """The ticks after the last barriers of subgroups that ordered this memory."""
        return self.state.shared_subepoch if self.shared else self.state.global_subepoch

    def _lanes(self, cells: Array, mask: Mask) -> Lanes:
        s = self.state
        whole = (
            self.shared
            and cells.shape[0] == 1
            and (mask is None or mask.shape[0] == 1)
            and self.epoch.size == 1
            and self.subepoch.shape[0] == 1
        )
        if self.shared and not whole and self.rows == 1 and s.groups > 1:
            self._expand()
        rows = 1 if self.shared and self.rows == 1 else s.groups
        shape = (rows, s.threads, *cells.shape[2:])
        if rows > 1 and self.shared:
            base = s.group_base * self.cells
            cells = cells + (base[..., None] if cells.ndim == 3 else base)
        thread = s.linear if self.shared else s.global_thread
        place = None if mask is None else s.places(mask, shape)

        def flat(a: Array) -> Array:
            if len(shape) == 3 and a.ndim == 2:
                a = a[..., None]
            whole = (a if a.shape == shape else np.broadcast_to(a, shape)).reshape(-1)
            return whole if place is None else whole.take(place)

        epoch = int(self.epoch[0, 0]) if self.epoch.size == 1 else flat(self.epoch)
        sub = int(self.subepoch[0, 0]) if self.subepoch.size == 1 else flat(self.subepoch)
        return Lanes(flat(cells), flat(thread), epoch, sub, place, shape)

    def _expand(self) -> None:
        self._merge()
        self.sole = None
        rows = self.rows = self.state.groups
        self.writer, self.write_stamp, self.write_access = (
            np.tile(a, rows) for a in (self.writer, self.write_stamp, self.write_access)
        )
        for pair in (self.writers, self.readers, self.atomics, self.near, self.guesses):
            if pair is not None:
                pair.repeat(rows)

    # how far two threads are apart, and whether something orders them

    def _distance(self, a: Array, b: Array) -> Array:
        """0 the same thread or none (-1) in b, 1 the same subgroup, 2 the same group, 3 different groups."""
        s = self.state
        if self.shared:
            far = _FAR[(s.subgroup_of.take(a) == s.subgroup_of.take(b)).view(np.uint8)]
        else:
            group, other = a // s.threads, b // s.threads
            near = s.subgroup_of.take(a - group * s.threads) == s.subgroup_of.take(b - other * s.threads)
            far = np.where(group == other, _FAR[near.view(np.uint8)], _OTHER_GROUP)
        return far * ((a != b) & ((a | b) >= 0))

    def _unordered(self, who: Lanes, other: Array, stamp: Array, told: bool) -> Array:
        """Entries whose thread and `other` are different threads with nothing between the accesses that orders them.

        Fences and atomics order groups where the later one was told by an atomic that the earlier one is through.
        """
        s = self.state
        if self.shared and not (stamp >= who.epoch).any():
            return np.zeros(other.shape, bool)
        distance = self._distance(who.thread, other)
        same_group = (stamp >= who.epoch) & ((distance == 2) | ((distance == 1) & (stamp >= who.subepoch)))
        if self.shared:
            return same_group
        across = distance == 3
        if told and s.tracks_fences and across.any():
            released = s.released[np.maximum(other, 0) // s.threads]
            fenced = s.fenced[np.maximum(other, 0) // s.threads]
            ordered = (stamp <= fenced) & (released >= fenced) & (released <= s.acquired[who.thread // s.threads])
            across &= ~((released > 0) & ordered)
        return same_group | across

    # accesses

    def read(self, cells: Array, mask: Mask, access: int, *, told: bool = False) -> tuple[Lanes, list[Conflict]]:
        """Note plain reads of cells (G or 1, T or 1[, n]); gives the conflicts with earlier accesses.

        told: only lanes get here whose group knows by an atomic that it is the last one (`tickets`).
        """
        who = self._lanes(cells, mask)
        found: list[Conflict] = []
        if self._recent(WRITE):
            found += self._against_writers(who, None, access, told=told)
        if self._recent(ATOMIC):
            found += self._against(self.atomics, who, ATOMIC, told=told)
        self.last[READ] = self.state.now
        self.pending.append((who, self.state.now, access))
        self.pending_size += who.cell.size
        if self.pending_size > _FLUSH_AT or len(self.pending) > 256:
            self._merge()
        return who, found

    def guess(self, cells: Array, mask: Mask, access: int) -> tuple[Lanes, list[Conflict]]:
        """Note reads of which a compare-and-swap checks what they gave: only plain writes are in conflict with them."""
        who = self._lanes(cells, mask)
        found = self._against_writers(who, None, access) if self._recent(WRITE) else []
        if self.guesses is None:
            self.guesses = _Pair(self.cells * self.rows)
        self.last[GUESS] = self.state.now
        self._note(self.guesses, who, self.state.now, access)
        return who, found

    def write(
        self, cells: Array, mask: Mask, access: int, same: Callable[[Lanes], Array], *, told: bool = False
    ) -> tuple[Lanes, list[Conflict], Array | None]:
        """Note plain writes. `same` tells which entries find the value that they write in memory already.

        Gives the conflicts with earlier accesses, and which entries lost their cell to another lane of this write.
        """
        who = self._lanes(cells, mask)
        found: list[Conflict] = []
        if self._recent(WRITE):
            found += self._against_writers(who, same, access, told=told)
        if self._recent(ATOMIC):
            found += self._against(self.atomics, who, ATOMIC, told=told)
        if self._recent(READ):
            if self._read_by_others(who):
                self._merge()
            found += self._against(self.readers, who, READ, told=told)
        elif self.shared:
            self._drop()
        if self._recent(GUESS):
            found += self._against(self.guesses, who, READ, told=told)
        self.last[WRITE] = self.state.now
        self.writer[who.cell] = who.thread
        self.write_stamp[who.cell] = self.state.now
        self.write_access[who.cell] = access
        lost = self.writer.take(who.cell) != who.thread
        several = bool(lost.any())
        if several and self.writers is None:
            self.writers = _Pair(self.cells * self.rows)
        if self.writers is not None:
            self._note(self.writers, who, self.state.now, access)
        return who, found, lost if several else None

    def update(
        self, cells: Array, mask: Mask, access: int, *, told: bool = False, near: bool = False
    ) -> tuple[Lanes, list[Conflict]]:
        """Note atomic read-modify-writes; `near` ones are atomic for their own group alone."""
        who = self._lanes(cells, mask)
        found: list[Conflict] = []
        if self._recent(WRITE):
            found += self._against_writers(who, None, access, told=told)
        if self._recent(READ):
            if self._read_by_others(who):
                self._merge()
            found += self._against(self.readers, who, READ, told=told)
        if self.atomics is None:
            self.atomics = _Pair(self.cells * self.rows)
        self.last[ATOMIC] = self.state.now
        self._note(self.atomics, who, self.state.now, access)
        if near and not self.shared:
            if self.near is None:
                self.near = _Pair(self.cells)
            self._note(self.near, who, self.state.now, access)
        if self.near is not None:
            found += self._against(self.atomics if near else self.near, who, NEAR)
        if not self.shared:
            if self.updater is None or self.update_stamp is None:
                self.updater, self.update_stamp = np.full(self.cells, -1, np.int64), np.zeros(self.cells, np.int64)
            self.updater[who.cell] = who.thread
            self.update_stamp[who.cell] = self.state.now
        return who, found

    def _recent(self, kind: str) -> bool:
        """Whether an access of that kind may be unordered with one made now."""
        last = self.last[kind]
        return last >= 0 and (not self.shared or last >= int(self.epoch.min()))

    def _drop(self, count: int | None = None) -> None:
        """Forget pending reads: the first `count`, or all."""
        gone, kept = self.pending[:count], [] if count is None else self.pending[count:]
        if self.sole is not None:
            for who, _, _ in self.pending[: self.summed]:
                self.sole[who.cell] = _NONE
        self.pending, self.summed = kept, 0
        self.pending_size -= sum(who.cell.size for who, _, _ in gone)

    def _read_by_others(self, who: Lanes) -> bool:
        """Whether a pending read of these cells is another thread's: seldom, and the pairs of readers take long."""
        if self.shared:
            floor = int(self.epoch.min())
            old = next((i for i, p in enumerate(self.pending) if p[1] >= floor), len(self.pending))
            if old:  # a barrier is between
                self._drop(old)
        if self.sole is None:
            self.sole = np.full(self.cells * self.rows, _NONE, np.int64)
        for read, _, _ in self.pending[self.summed :]:
            before = self.sole.take(read.cell)
            self.sole[read.cell] = read.thread
            several = (before != _NONE) & (before != read.thread) | (self.sole.take(read.cell) != read.thread)
            if several.any():
                self.sole[read.cell[several]] = _SEVERAL
        self.summed = len(self.pending)
        reader = self.sole.take(who.cell)
        return bool(((reader != _NONE) & (reader != who.thread)).any())

    def _merge(self) -> None:
        """Move pending reads into the pairs of readers."""
        floor = int(self.epoch.min()) if self.shared else -1
        if self.pending and self.readers is None:
            self.readers = _Pair(self.cells * self.rows)
        for who, stamp, access in self.pending:
            if stamp >= floor and self.readers is not None:
                self._note(self.readers, who, stamp, access)
        self._drop()

    def _note(self, pair: _Pair, who: Lanes, stamp: int, access: int) -> None:
        pair.notes += 1
        if pair.notes < 3:  # most pairs are not noted often enough for `apart` to pay
            self._put_users(pair, who, stamp, access)
            return
        settled = pair.apart[0].take(who.cell)
        if self.shared:
            settled &= pair.stamp[0].take(who.cell) >= np.maximum(who.epoch, who.subepoch)
        if settled.all():
            return
        left = who.pick(np.flatnonzero(~settled)) if settled.any() else who
        self._put_users(pair, left, stamp, access)
        one, two = pair.thread[0].take(left.cell), pair.thread[1].take(left.cell)
        pair.apart[0][left.cell] = self._distance(two, one) == (2 if self.shared else 3)

    def _put_users(self, pair: _Pair, who: Lanes, stamp: int, access: int) -> None:
        cell, thread = who.cell, who.thread
        one = pair.thread[0].take(cell)
        if (one >= 0).any():
            old = pair.stamp[0].take(cell)
            if self.shared and (old < who.epoch).all():  # a barrier of the group is between
                pair.thread[1][cell] = -1
                pair.put(0, cell, thread, stamp, access)
            else:
                self._put_beside(pair, who, one, old, stamp, access)
        else:
            pair.put(0, cell, thread, stamp, access)
        for _ in range(3):
            one = pair.thread[0].take(cell)
            other = np.flatnonzero(one != thread)
            if not other.size:
                return
            one, c, t = one[other], cell[other], thread[other]
            better = self._distance(t, one) > self._distance(pair.thread[1].take(c), one)
            if not better.any():
                return
            pair.put(1, c[better], t[better], stamp, access)

    def _put_beside(self, pair: _Pair, who: Lanes, one: Array, old: Array, stamp: int, access: int) -> None:
        """Replace the first users, noted at `old`, where they are ordered before this access."""
        cell, thread = who.cell, who.thread
        two = pair.thread[1].take(cell)
        distance = self._distance(thread, one)
        # ordered before this access, and so of no more interest, unless the second user is in another group
        stale = ((old < who.epoch) & (distance < 3)) | ((old < who.subepoch) & (distance <= 1))
        stale &= (one >= 0) & (self._distance(two, one) < 3)
        fresh = np.flatnonzero((one < 0) | stale)
        if not fresh.size:
            return
        keep = two[fresh]
        if not self.shared or self.subepoch.size > 1:
            # a second user in another subgroup stays when only a subgroup barrier made the first one stale
            by_group = old[fresh] < (who.epoch if isinstance(who.epoch, int) else who.epoch[fresh])
            keep = np.where(~by_group & (self._distance(keep, one[fresh]) >= 2), keep, -1)
            pair.thread[1][cell[fresh]] = keep
        else:
            pair.thread[1][cell[fresh]] = -1
        pair.put(0, cell[fresh], thread[fresh], stamp, access)

    # conflicts

    def _against_writers(
        self, who: Lanes, same: Callable[[Lanes], Array] | None, access: int, *, told: bool = False
    ) -> list[Conflict]:
        last = self.writer, self.write_stamp, self.write_access
        found = self._against_users(last, who, WRITE, same, access, told=told)
        pair = self.writers
        if pair is not None:
            for slot in (0, 1):
                users = pair.thread[slot], pair.stamp[slot], pair.access[slot]
                found += self._against_users(users, who, WRITE, same, access, told=told)
        return found

    def _against(self, pair: _Pair | None, who: Lanes, kind: str, *, told: bool = False) -> list[Conflict]:
        found: list[Conflict] = []
        if pair is not None:
            for slot in (0, 1):
                users = pair.thread[slot], pair.stamp[slot], pair.access[slot]
                found += self._against_users(users, who, kind, None, -1, told=told)
        return found

    def _against_users(
        self,
        users: tuple[Array, Array, Array],
        who: Lanes,
        kind: str,
        same: Callable[[Lanes], Array] | None,
        access: int,
        *,
        told: bool = False,
    ) -> list[Conflict]:
        thread, stamp, by = users
        other = thread.take(who.cell)
        at = np.flatnonzero((other >= 0) & (other != who.thread))
        if not at.size:
            return []
        sub = who.pick(at)
        bad = self._unordered(sub, other[at], stamp.take(sub.cell), told)
        if kind == NEAR:
            bad &= self._distance(sub.thread, other[at]) == 3
        if told and kind == ATOMIC and bad.any():
            bad &= ~self._behind_own_update(sub, other[at])
        if same is not None and bad.any():
            # lanes of one statement that write one value are benign, as in Oclgrind
            benign = bad & (by.take(sub.cell) == access) & same(sub)
            if benign.any():
                bad &= ~benign
                self._keep_writers()
        return self._conflicts(sub, bad, other[at], by.take(sub.cell), kind)

    def _behind_own_update(self, who: Lanes, other: Array) -> Array:
        """Entries whose group made the last update of the cell before them: it came behind all those of other groups.

        An update and what follows it in its thread keep their order on one cell (coherence, PTX ISA, memory
        consistency model), as when the last group resets the counter that told it so.
        """
        if self.updater is None or self.update_stamp is None:
            return np.zeros(other.shape, bool)
        threads, last = self.state.threads, self.updater.take(who.cell)
        mine = last // threads == who.thread // threads
        before = (last == who.thread) | (self.update_stamp.take(who.cell) < who.epoch)
        return mine & before & (other // threads != who.thread // threads)

    def _keep_writers(self) -> None:
        """From now on, keep two writers of each cell."""
        if self.writers is None:
            pair = self.writers = _Pair(self.cells * self.rows)
            pair.thread[0], pair.stamp[0], pair.access[0] = self.writer, self.write_stamp, self.write_access

    def _conflicts(self, who: Lanes, bad: Array, other: Array, access: Array, kind: str) -> list[Conflict]:
        if not bad.any():
            return []
        found: list[Conflict] = []
        for a in np.unique(access[bad]):
            i = int(np.flatnonzero(bad & (access == a))[0])
            group, thread = who.lane(i)
            theirs = int(other[i])
            number = int(self.state.group_numbers[group, 0])
            if not self.shared:
                number, theirs = divmod(theirs, self.state.threads)
            found.append(Conflict(group, thread, int(who.cell[i]) % self.cells, number, theirs, int(a), kind))
        return found


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two accesses of one cell that nothing orders: lane (group of the chunk, thread), cell, and the other's number."""

    group: int
    thread: int
    cell: int
    other_group: int
    other_thread: int
    other_access: int
    kind: str
