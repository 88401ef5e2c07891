"""Operations of several threads together: barriers, shuffles, votes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ir.nodes import Loc, Scope
from ...ir.types import Scalar, Space
from .domain import Domain
from .lanes import DEAD, Array, Value, each, where
from .state import State

FULL_MASK: Array = np.full((1, 1), 0xFFFFFFFF, np.uint64)


BOTH = (Space.SHARED, Space.GLOBAL)


def barrier(
    s: State, scope: Scope, loc: Loc | None, mask: Array | None = None, orders: tuple[Space, ...] = BOTH
) -> None:
    """All threads of the scope that have not exited must arrive; orders what they did before against what follows."""
    s.count("barriers")
    s.now += 1
    arrived = None if s.mask is None else s.full(s.mask)
    wide = scope is not Scope.SUBGROUP
    if arrived is None and s.exited is DEAD:
        now: Array = np.full((1, 1), s.now, np.int64)
        if Space.SHARED in orders:
            if wide:
                s.shared_epoch = now
            else:
                s.shared_subepoch = now
        if Space.GLOBAL in orders:
            if wide:
                s.global_epoch = now
            else:
                s.global_subepoch = now
        return
    full = np.ones(s.shape, bool) if arrived is None else arrived
    gone = np.zeros(s.shape, bool) if s.exited is DEAD else s.full(s.exited)
    unit = np.zeros((1, s.threads), np.int64) if wide else s.subgroup
    starts = np.flatnonzero(np.diff(unit[0], prepend=-1))
    here = np.logical_or.reduceat(full, starts, axis=1)  # (G, units): some thread is at this barrier
    missing = _spread(here, starts, s.threads) & ~full & ~gone
    if mask is not None:
        check_mask(s, mask, loc)
        missing = np.zeros(s.shape, bool)
    place = "group" if wide else "subgroup"
    if missing.any() and s.findings.wants("divergence", loc):
        g, t = s.first_lane(missing)
        mine = unit[0] == unit[0, t]
        at = int(np.count_nonzero(full[g] & mine))
        s.findings.add(
            "divergence",
            f"{s.who(g, t)} does not arrive at the barrier that {at} of the {int(mine.sum())} threads of its {place} "
            "wait at",
            loc,
        )
    if s.language not in ("cuda", "hip") and s.exited is not DEAD:
        lost = _spread(here, starts, s.threads) & gone
        if lost.any() and s.findings.wants("divergence", loc, "exited"):
            g, t = s.first_lane(lost)
            s.findings.add(
                "divergence",
                f"{s.who(g, t)} has returned before a barrier of its {place}; {s.language} requires all threads "
                "to arrive",
                loc,
                "exited",
            )
    reached = here[:, :1] if wide else _spread(here, starts, s.threads)
    if Space.SHARED in orders:
        if wide:
            s.shared_epoch = _ticked(s.shared_epoch, reached, s.now)
        else:
            s.shared_subepoch = np.where(reached, s.now, s.shared_subepoch)
    if Space.GLOBAL in orders:
        if wide:
            s.global_epoch = _ticked(s.global_epoch, reached, s.now)
        else:
            s.global_subepoch = np.where(reached, s.now, s.global_subepoch)


def _ticked(epoch: Array, reached: Array, now: int) -> Array:
    new = np.where(reached, now, epoch)
    return new[:1] if (new == new[0, 0]).all() else new


def _spread(units: Array, starts: Array, threads: int) -> Array:
    """A value per unit, (G, units), to one per thread, (G, T)."""
    return np.repeat(units, np.diff(np.append(starts, threads)), axis=1)


def check_mask(s: State, mask: Array, loc: Loc | None) -> None:
    """The lanes that a warp's mask names must all be here, and no others (CUDA C++ Programming Guide)."""
    active = s.full(s.mask)
    gone = np.zeros(s.shape, bool) if s.exited is DEAD else s.full(s.exited)
    lanes = np.broadcast_to(mask, s.shape).astype(np.uint64)
    here = _bits(s, active)
    left = _bits(s, ~active & ~gone)
    own = np.uint64(1) << s.lane.astype(np.uint64)
    for bad, what in (
        (active & ((lanes & left & ~here) != 0), "names a lane in its mask that does not take part"),
        (active & ((lanes & own) == 0), "is not in the mask that it gives"),
    ):
        if bad.any() and s.findings.wants("shuffle", loc, what):
            g, t = s.first_lane(bad)
            given = f"0x{int(lanes[g, t]):08x}"
            s.findings.add("shuffle", f"{s.who(g, t)} (lane {int(s.lane[0, t])}) {what} ({given})", loc, what)


def _bits(s: State, chosen: Array) -> Array:
    """The chosen lanes of each warp (of 32, or in HIP of the machine's width) as a word, for each thread."""
    wide = s.width if s.language == "hip" else 32
    short = -s.threads % wide
    padded = np.pad(np.broadcast_to(chosen, s.shape), ((0, 0), (0, short))).reshape(s.groups, -1, wide)
    words = (padded * (np.uint64(1) << np.arange(wide, dtype=np.uint64))).sum(axis=2, dtype=np.uint64)
    return np.repeat(words, wide, axis=1)[:, : s.threads]


def segment(s: State, width: int, loc: Loc | None, what: str) -> int:
    """The width of segments; a finding where the machine's subgroups are narrower."""
    if width > s.width:
        s.findings.add(
            "shuffle", f"{what} over {width} lanes on a machine whose subgroups have {s.width}", loc, "width"
        )
        return s.width
    return width or s.width


def shuffle(
    s: State, domain: Domain, kind: str, value: Value, lane: Array, scalar: Scalar, lanes: int, width: int,
    undefined: bool, loc: Loc | None, *, masked: bool = False,
) -> Value:  # fmt: skip
    """Values from other lanes, as `nodes.Shuffle` describes; PTX's shfl gives the rules at the segment's ends.

    What comes from a lane that does not take part is undefined. With the full mask that lane should have been here.
    """
    s.count("shuffles")
    w = segment(s, width, loc, "a shuffle")
    own = s.lane
    first, last = own & ~(w - 1), own | (w - 1)
    by = lane.astype(np.int64)
    if kind == "idx":
        source = first + (by if undefined else by & (w - 1))
        inside = (by >= 0) & (by < w) if undefined else np.ones((1, 1), bool)
    elif kind == "up":
        source, inside = own - by, (own - by >= first) & (by >= 0)
    elif kind == "down":
        source, inside = own + by, (own + by <= last) & (by >= 0)
    else:
        source = own ^ by
        inside = (source <= last) & (source >= first) if undefined else (source <= last) & (source >= 0)
    if s.language == "cuda" and s.width == 32 and kind != "idx" and (by.min() < 0 or by.max() > 31):
        # PTX takes the low five bits of a distance (PTX ISA, shfl.sync); the programming guide leaves others open
        undefined, inside = True, inside & (by >= 0) & (by <= 31)
    source = np.where(inside, source, own)
    thread = s.linear + source - own
    exists = thread < s.threads
    thread = np.where(exists, thread, s.linear)
    active = s.full(s.mask)
    shape = np.broadcast_shapes(thread.shape, active.shape)
    thread = np.broadcast_to(thread, shape)
    takes_part = (
        exists & np.take_along_axis(active, thread, 1) if s.mask is not None else np.broadcast_to(exists, shape)
    )
    bad = active & ~takes_part
    if s.language == "cuda" and not masked and bad.any() and s.findings.wants("shuffle", loc):
        g, t = s.first_lane(bad)
        from_lane = int(np.broadcast_to(source, shape)[g, t])
        s.findings.add(
            "shuffle",
            f"{s.who(g, t)} (lane {int(own[0, t])}) reads lane {from_lane} of its subgroup, which does not take part",
            loc,
        )

    def take(v: Array) -> Array:
        return _take(v, thread, s.threads)

    out = each(take, value)
    poisoned = ~takes_part | ~inside if undefined else ~takes_part
    if poisoned.any():
        _suspect(s, kind, by, active & poisoned, loc)
        out = where(np.broadcast_to(poisoned, shape), domain.poison(scalar, lanes), out)
    return out


def _suspect(s: State, kind: str, by: Array, lanes: Array, loc: Loc | None) -> None:
    """Note a shuffle whose result is undefined in some lanes: a defect only if they use it."""
    if lanes.any() and s.suspects.wants("shuffle", loc):
        g, t = s.first_lane(lanes)
        who, at = s.who(g, t), int(np.broadcast_to(by, s.shape)[g, t])
        text = f"{who} uses what a shuffle ({kind} {at}) gives its lane {int(s.lane[0, t])}, which is undefined"
        s.suspects.add("shuffle", text, loc, threads=(who,))


def _take(value: Array, thread: Array, threads: int) -> Array:
    if value.shape[1] == 1:
        return value
    if thread.shape[0] == 1 or (thread == thread[0]).all():
        return value.take(thread[0], axis=1)
    rows = max(value.shape[0], thread.shape[0])
    full = np.broadcast_to(value, (rows, threads, *value.shape[2:]))
    at = np.broadcast_to(thread, (rows, threads))
    return np.take_along_axis(full, at[..., None] if value.ndim == 3 else at, 1)


def vote(s: State, kind: str, value: Array, scalar: Scalar, width: int, loc: Loc | None) -> Array:
    """any, all (bool) or ballot (bit i: lane i of the segment) over the active lanes of segments."""
    s.count("votes")
    w = segment(s, width, loc, "a vote")
    active = s.full(s.mask)
    yes = np.broadcast_to(value, s.shape) & active
    short = -s.threads % w
    if short:
        yes = np.pad(yes, ((0, 0), (0, short)))
        active = np.pad(active, ((0, 0), (0, short)))
    yes, active = (a.reshape(s.groups, -1, w) for a in (yes, active))
    out: Any
    if kind == "any":
        out = yes.any(axis=2)
    elif kind == "all":
        out = (yes | ~active).all(axis=2)
    else:
        bits = np.uint64(1) << np.arange(w, dtype=np.uint64)
        out = np.where(yes, bits, np.uint64(0)).sum(axis=2, dtype=np.uint64).astype(f"u{scalar.size}")
        if scalar.signed:
            out = out.view(f"i{scalar.size}")
    return np.repeat(out, w, axis=1)[:, : s.threads]
