"""What changes for someone who ports from one machine to another, the most consequential first."""

from __future__ import annotations

import fnmatch
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from .roofline import ridge
from .units import UNLIMITED

if TYPE_CHECKING:
    from .machine import Machine
    from .schema import Fact

Tier = Literal["breaks", "limits", "speed", "other"]
TIERS: Final[tuple[Tier, ...]] = ("breaks", "limits", "speed", "other")

_ANY_CHANGE_BREAKS: Final = {
    "execution.subgroup_width": "shuffle and vote masks, reductions and warp-synchronous code depend on it",
    "numerics.subnormals_f32": "small values come out different",
    "numerics.contract": "a*b+c rounds once or twice: bits differ",
    "numerics.fast_math_default": "NaN, infinity and reassociation behave differently unless told otherwise",
    "dtypes.fp8_encoding": "the same byte is another number",
}
_LOSS_BREAKS: Final = {
    "features.fp64": "f64 arithmetic has to be emulated or refused",
    "features.fp16": "f16 arithmetic has to be done in f32",
    "features.subgroups": "subgroup operations go through shared memory",
    "features.forward_progress": "look-back, ticket locks and persistent producers can hang",
    "features.grid_sync": "a grid-wide barrier becomes two launches",
    "features.tma": "bulk copies become loads and stores",
    "features.cluster": "distributed shared memory goes through device memory",
    "features.wgmma": "warpgroup matrix code has to be rewritten for smaller fragments",
    "features.tcgen05": "tensor-memory code has to be rewritten",
    "features.async_copy": "software pipelines become double buffering by hand",
    "features.redux_sync": "one instruction becomes a shuffle tree",
    "features.elect_sync": "elect one lane by hand",
}
_RANKED: Final = {
    "features.subgroup_shuffle": "shuffles are emulated",
    "features.atomic_f32_global": "float atomics become a compare-and-swap loop",
    "features.atomic_f32_shared": "float atomics in shared memory become a compare-and-swap loop",
    "features.atomic_i64": "64-bit atomics have to be avoided",
}
_RANK: Final = {"native": 3, "amdgcn_bpermute": 2, "minmax": 2, "cas": 1, "none": 0}
_SMALLER_LIMITS: Final = {
    "shared.per_group_optin": "tiles have to shrink",
    "shared.per_group": "static shared memory has to shrink",
    "limits.threads_per_group": "groups have to shrink",
    "limits.group_dim": "a dimension of the group may be too large",
    "limits.grid_dim": "large grids have to be folded",
    "limits.buffer_args": "arguments have to be packed",
    "limits.kernel_params": "parameter structs have to move to a buffer",
    "limits.constant_memory": "tables have to move to device memory",
    "limits.inline_constants": "parameter structs have to move to a buffer",
    "registers.per_thread": "register tiles have to shrink, or spill",
    "memory.size": "data may not fit",
}
_SPEED: Final = ("rates.*", "memory.bandwidth", "cache.*.size", "execution.compute_units", "clock.boost")
_LISTS: Final = {
    "dtypes.storage": "arrays of these types cannot be passed",
    "dtypes.alu": "arithmetic in these types is emulated",
    "dtypes.matrix": "no matrix operations in these types",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `ratio` is destination / source for numbers; `why` says what it means for a port."""

    path: str
    label: str
    tier: Tier
    source: str
    destination: str
    source_fact: Fact | None
    destination_fact: Fact | None
    ratio: float | None
    why: str
    weight: float


def _number(fact: Fact | None) -> float | None:
    value = fact.value if fact is not None else None
    if isinstance(value, tuple) and value and all(isinstance(v, int | float) for v in value):
        return float(math.prod(v for v in value if not isinstance(v, str)))
    return None if isinstance(value, bool | str | tuple) or value is None else float(value)


def _ratio(a: Fact | None, b: Fact | None) -> float | None:
    old, new = _number(a), _number(b)
    if not old or new is None or UNLIMITED in (old, new):
        return None
    return new / old


def _gone(a: Fact | None, b: Fact | None) -> list[str]:
    """What the source's list has and the destination's has not."""
    old, new = (f.value if f is not None else None for f in (a, b))
    if not isinstance(old, tuple):
        return []
    return [str(v) for v in old if not isinstance(new, tuple) or v not in new]


def _classify(path: str, a: Fact | None, b: Fact | None, ratio: float | None) -> tuple[Tier, str, float]:
    """(tier, why, weight): weight orders the changes of a tier, larger first."""
    old, new = (f.value if f is not None else None for f in (a, b))
    size = abs(math.log2(ratio)) if ratio else 0.0
    if path == "dtypes.fp8_encoding" and "none" in (old, new):
        return ("breaks", "fp8 has to be emulated or refused", 30) if new == "none" else ("other", "", size)
    if path in _ANY_CHANGE_BREAKS and old is not None and new is not None:
        return "breaks", _ANY_CHANGE_BREAKS[path], 50 - list(_ANY_CHANGE_BREAKS).index(path)
    if path in _LOSS_BREAKS and old is True and not new:
        return "breaks", _LOSS_BREAKS[path], 40 - list(_LOSS_BREAKS).index(path)
    if path in _RANKED and _RANK.get(str(new), 0) < _RANK.get(str(old), 0):
        return "breaks", _RANKED[path], 25 - list(_RANKED).index(path)
    if path in _LISTS and _gone(a, b):
        return "breaks", _LISTS[path], 20 - list(_LISTS).index(path)
    if path in _SMALLER_LIMITS:
        infinite = old == UNLIMITED and new not in (UNLIMITED, None)
        if infinite or (ratio is not None and ratio < 1):
            return "limits", _SMALLER_LIMITS[path], 100.0 if infinite else size
    if ratio is not None and any(fnmatch.fnmatch(path, pattern) for pattern in _SPEED):
        return "speed", f"{ratio:.3g} times" if ratio >= 1 else f"{1 / ratio:.3g} times less", size
    return "other", "", size


def _ridges(a: Machine, b: Machine) -> list[Change]:
    changes: list[Change] = []
    for engine in ("matrix.f16.f32", "vector.f32"):
        if all(m.known(f"rates.{engine}") and m.known("memory.bandwidth") for m in (a, b)):
            old, new = ridge(a, engine), ridge(b, engine)
            changes.append(
                Change(
                    path=f"ridge.{engine}",
                    label=f"ridge point, {engine.removeprefix('matrix.')}",
                    tier="speed",
                    source=f"{old:.3g} FLOP/B",
                    destination=f"{new:.3g} FLOP/B",
                    source_fact=a.fact(f"rates.{engine}"),
                    destination_fact=b.fact(f"rates.{engine}"),
                    ratio=new / old,
                    why="tiling depth that balances memory and arithmetic",
                    weight=abs(math.log2(new / old)),
                )
            )
    return changes


def compare(source: Machine, destination: Machine) -> list[Change]:
    """All facts that differ between two machines, ordered by what they mean for a port.

    Tiers: "breaks" (code is wrong or does not compile), "limits" (something no longer fits), "speed", "other".
    Measured values and the parameters of occupancy rules are left out: they are no properties to port to.
    """
    changes = [c for c in _ridges(source, destination) if c.ratio != 1]
    left, right = source.facts(), destination.facts()
    skipped = ("measured.", "ops.", "occupancy.", "matrix.", "isa.")
    for path in dict.fromkeys([*left, *right]):
        a, b = left.get(path), right.get(path)
        known = [f for f in (a, b) if f is not None and f.known]
        if path.startswith(skipped) or not known or (len(known) == 2 and known[0].value == known[1].value):
            continue
        ratio = _ratio(a, b)
        tier, why, weight = _classify(path, a, b, ratio)
        shown = [str(f) if f is not None and f.known else "unknown" for f in (a, b)]
        if tier == "breaks" and (gone := _gone(a, b)):
            shown = [", ".join(gone), "none"]
        changes.append(Change(path, known[0].label, tier, shown[0], shown[1], a, b, ratio, why, weight))
    return sorted(changes, key=lambda c: (TIERS.index(c.tier), -c.weight, c.path))
