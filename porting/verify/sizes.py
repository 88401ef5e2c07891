"""What is tried: the sizes of the spec, sizes made up around the kernel's tiles, and the kinds of inputs at each.

Sizes are made up for every symbol, or for those that `[verify] generate` of the spec names. Whether a size is within
the kernel's contract is for the source to say: where the source itself has findings, disagrees with its reference or
cannot be launched, a made-up size is left out and the report tells so.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ...backends.readers import read_text
from ...hwmodels.errors import GpuportError
from ...ir import nodes as ir
from ...ir.types import Array, Vector
from ...ir.walk import walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy as np

    from ...backends.base import KernelText, Launch
    from ..spec.generators import InputKind
    from ..spec.kernel import Kernel
    from .oracle import Oracle

COUNT: Final = 10
"""Sizes that are made up."""

ELEMENTS: Final = 1 << 14
LANES: Final = 1 << 16
"""Most elements of all buffers, and most threads, at a size that is made up."""

NAMED: Final = 6
NAMED_ELEMENTS: Final = 1 << 17
"""Sizes that are made of numbers in the candidate's text, and the most elements, or threads, at one of them."""

PROBE_ELEMENTS: Final = 1 << 13
"""Kinds of inputs that look for one class of errors are tried where no buffer has more elements than this."""

PRIMES: Final = (3, 7, 31, 127, 257, 509, 1021)
_OF_MANY: Final[frozenset[InputKind]] = frozenset({"tiny", "nan", "zeros", "subnormal", "low", "near"})
"""Kinds that show more where there is more than one tile, at the larger half of the sizes."""
_LONG: Final = (1021, 509, 127)
_WIDTHS: Final = range(4, 1025)


@dataclass(frozen=True, slots=True)
class Case:
    """One set of sizes, and the launches for it: the source's own, and the candidate's.

    `made`: the size was made up, so the source decides whether it counts. `kinds`: the inputs that are tried; empty
    for the oracle's choice.
    """

    sizes: Mapping[str, int]
    source: Launch
    launch: Launch
    made: bool = False
    kinds: tuple[InputKind, ...] = field(default=())


def cases_for(
    oracle: Oracle, source: Mapping[str, int], candidate: Mapping[str, int], text: KernelText | None = None
) -> list[Case]:
    """Return everything that a candidate is tried on; `source` and `candidate` are the constants of the launches.

    text: the candidate's, whose own numbers are tried as sizes as well.
    """
    kernel = oracle.kernel
    spec = [(s, False) for s in kernel.size_sets()]
    known = [kernel.launch(s, source) for s, _ in spec]
    made = made_sizes(kernel, widths(oracle.program, known), source, oracle.rng({}, "sizes"))
    if text is not None:
        made += named_sizes(kernel, _new_numbers(text, oracle.program), source, oracle.rng({}, "named"), known=made)
    cases: list[Case] = []
    for sizes, new in [*spec, *((s, True) for s in made)]:
        try:
            cases.append(Case(sizes, kernel.launch(sizes, source), kernel.launch(sizes, candidate), new))
        except GpuportError:
            if not new:
                raise
    return with_kinds(oracle, cases)


_SIDE: Final = 8
"""A side of this length is long enough for infinities in some rows and columns and none in the others."""


def with_kinds(oracle: Oracle, cases: Sequence[Case]) -> list[Case]:
    """Spread the kinds of inputs over the cases: the usual ones everywhere, each of the others once or more."""
    usual: list[tuple[InputKind, ...]] = [("normal",) if c.made else oracle.kinds(c.sizes) for c in cases]
    probes = oracle.probes()
    places = [i for i, c in enumerate(cases) if _room(oracle.kernel, c.sizes)]
    ranked = sorted(places, key=lambda i: _elements(oracle.kernel, cases[i].sizes))
    small, large = ranked[: (len(places) + 1) // 2], ranked[len(places) // 2 :]
    # an infinity takes the row with it, and the column: where every side has some length, others are left to meet it
    sides = {i: min((n for n in cases[i].sizes.values()), default=0) for i in places}
    square = min(ranked, key=lambda i: -min(sides[i], _SIDE), default=0)
    broad = min(ranked, key=lambda i: -sides[i], default=0)  # and there they lie at the edges of tiles
    nodes = [n for f in oracle.program.all_functions for n in walk(f)]
    lanes = max((t.lanes for n in nodes if isinstance(t := getattr(n, "type", None), Vector)), default=1)
    extra: dict[int, list[InputKind]] = {i: [] for i in places}
    for k, kind in enumerate(probes if places else ()):
        # the fewer numbers a sum has, the larger they are in big_int
        fit = large if kind in _OF_MANY else small if kind == "big_int" else places
        at = [square, broad] if kind == "infinity" else [fit[k % len(fit)]]
        if kind == "big_int":  # sums of vectors are other code than sums of what does not divide into vectors
            at += [i for i in ranked if lanes > 1 and _divides(oracle.kernel, cases[i].sizes, lanes)][-1:]
        if kind == "huge":  # a maximum of another warp's part alone shows where exponentials of the rest overflow
            at.append(max(places, key=lambda i: _row(oracle.kernel, cases[i].sizes)))
        # where nothing is added, infinities stay where they are, and cannot meet
        for i in places if kind == "infinity" and oracle.signed_zeros else dict.fromkeys(at):
            extra[i].append(kind)
    return [Case(c.sizes, c.source, c.launch, c.made, (*usual[i], *extra.get(i, ()))) for i, c in enumerate(cases)]


def _row(kernel: Kernel, sizes: Mapping[str, int]) -> int:
    """The longest last axis."""
    return max(s[-1] for n in kernel.args if (s := kernel.shape(n, sizes)))


def _divides(kernel: Kernel, sizes: Mapping[str, int], lanes: int) -> bool:
    """Whether the rows of every array that is read divide into vectors."""
    shapes = [kernel.shape(n, sizes) for n, a in kernel.args.items() if a.is_buffer and a.role == "in"]
    return any(shapes) and not any(s[-1] % lanes for s in shapes if s)


def _room(kernel: Kernel, sizes: Mapping[str, int]) -> bool:
    """Whether a size is small enough for many runs, and large enough to show something."""
    counts = [math.prod(kernel.shape(n, sizes)) for n, a in kernel.args.items() if a.is_buffer and a.role != "null"]
    return bool(counts) and min(counts) > 0 and 16 <= max(counts) <= PROBE_ELEMENTS


def _elements(kernel: Kernel, sizes: Mapping[str, int]) -> int:
    return sum(math.prod(kernel.shape(n, sizes)) for n in kernel.args)


def widths(program: ir.Program, launches: Sequence[Launch]) -> list[int]:
    """Return the tile, vector and group widths in a program: its constants, array lengths and group sizes, sorted."""
    found = {n for launch in launches for n in (*launch.block, launch.threads)}
    found |= {int(c.value) for c in program.constants if isinstance(c.value, int)}
    for function in (*program.functions, program.kernel):
        for node in walk(function):
            if isinstance(node, ir.Declare) and isinstance(node.type, Array):
                found.add(node.type.length)
            t = getattr(node, "type", None)
            if isinstance(t, Vector):
                found.add(t.lanes)
    if program.subgroup_width:
        found.add(program.subgroup_width)
    return sorted(found & set(_WIDTHS))


def made_sizes(
    kernel: Kernel, tiles: Sequence[int], constants: Mapping[str, int], rng: np.random.Generator
) -> list[dict[str, int]]:
    """Make up sizes around the tiles, primes, 0, 1, 2 and where the grid is at its end; which ones is drawn.

    Groups are as large as at one of the spec's sizes, and buffers and grids within ELEMENTS and LANES.
    """
    spec = kernel.size_sets()
    symbols = [s for s in kernel.generated if s in spec[0]]
    if not symbols:
        return []
    groups = {(launch.block, launch.shared_bytes) for launch in (kernel.launch(s, constants) for s in spec)}

    def fits(sizes: Mapping[str, int]) -> bool:
        try:
            launch, elements = kernel.launch(sizes, constants), _elements(kernel, sizes)
        except GpuportError:
            return False  # an expression without a value at this size
        lanes = math.prod(launch.grid) * launch.threads
        return (launch.block, launch.shared_bytes) in groups and elements <= ELEMENTS and lanes <= LANES

    out: list[dict[str, int]] = []
    for sizes in _proposed(kernel, symbols, tiles, constants, rng, fits):
        if len(out) == COUNT:
            break
        if sizes not in spec and sizes not in out and fits(sizes):
            out.append(sizes)
    return out


def named_sizes(
    kernel: Kernel, numbers: Sequence[int], constants: Mapping[str, int], rng: np.random.Generator,
    known: Sequence[Mapping[str, int]] = (),
) -> list[dict[str, int]]:  # fmt: skip
    """Make sizes of the numbers that a candidate names and its source does not: a tile of its own, or a size that it
    knows. At most NAMED, which ones is drawn; groups as at the spec's sizes, buffers within NAMED_ELEMENTS."""
    spec = kernel.size_sets()
    groups = {(launch.block, launch.shared_bytes) for launch in (kernel.launch(s, constants) for s in spec)}
    least = _least(spec)
    wanted = [(n + d, s) for n in rng.permutation(list(numbers)).tolist() for d in (0, 1, -1) for s in kernel.generated]
    out: list[dict[str, int]] = []
    for n, symbol in sorted(wanted, key=lambda w: w[0] not in numbers):
        sizes = {**least, symbol: n}
        if len(out) == NAMED or sizes in spec or sizes in out or sizes in known or symbol not in least:
            continue
        with contextlib.suppress(GpuportError):
            launch = kernel.launch(sizes, constants)
            elements = sum(math.prod(kernel.shape(a, sizes)) for a in kernel.args)
            threads = math.prod(launch.grid) * launch.threads
            if (launch.block, launch.shared_bytes) in groups and max(elements, threads) <= NAMED_ELEMENTS:
                out.append(sizes)
    return out


def _new_numbers(text: KernelText, source: ir.Program) -> list[int]:
    try:
        program = read_text(text)
    except GpuportError:
        return []  # the gate `compiles` tells why
    return sorted(n for n in _numbers(program) - _numbers(source) if 2 < n <= NAMED_ELEMENTS)


def _numbers(program: ir.Program) -> set[int]:
    nodes = [n for f in (*program.functions, program.kernel) for n in walk(f)]
    return {int(n.value) for n in nodes if isinstance(n, ir.Const) and isinstance(n.value, int)}


def _least(spec: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """The smallest size of each symbol that the spec has, but for 0."""
    return {s: min(v for sizes in spec if (v := sizes[s]) > 0 or len(spec) == 1) for s in spec[0]}


def _proposed(
    kernel: Kernel, symbols: Sequence[str], tiles: Sequence[int], constants: Mapping[str, int],
    rng: np.random.Generator, fits: Callable[[Mapping[str, int]], bool],
) -> Iterator[dict[str, int]]:  # fmt: skip
    """Sizes in the order in which they are wanted: one of each family first, then any mixture."""
    spec = kernel.size_sets()
    least = _least(spec)
    edges = sorted({e for t in tiles for e in (t - 1, t, t + 1, 2 * t - 1, 2 * t + 1)})
    edges = edges or [3, 4, 5]
    drawn = {s: rng.permutation(edges) for s in symbols}
    primes = rng.permutation(PRIMES)
    yield {**least, **dict.fromkeys(symbols, 2)}
    for i, zero in enumerate(symbols):
        yield {**least, **{s: int(drawn[s][i % len(edges)]) for s in symbols}, zero: 0}
    for s in symbols:  # long and thin, each way
        longest = next((n for n in _LONG if fits({**least, s: n})), 0)
        if longest:
            yield {**least, s: int(rng.integers(longest // 2 + 1, longest + 1))}
    if len(symbols) == 1 and (end := _grid_end(kernel, symbols[0], least, constants)):
        yield {**least, symbols[0]: end + 1}
    for i in range(20 * COUNT):
        sizes = dict(least)
        for j, s in enumerate(symbols):
            pick = (i + j) % (len(symbols) + 1)
            if pick == len(symbols):
                sizes[s] = int(primes[(i + j) % len(primes)])
            else:
                sizes[s] = int(drawn[s][(i + j) % len(edges)]) if i % 4 else int(rng.choice([1, *edges]))
        yield sizes


def _grid_end(kernel: Kernel, symbol: str, least: Mapping[str, int], constants: Mapping[str, int]) -> int:
    """Return the number of threads beyond which a grid no longer grows with a size; 0 if it always does."""
    try:
        large, larger = (kernel.launch({**least, symbol: n}, constants) for n in (1 << 22, 1 << 23))
    except GpuportError:
        return 0
    return math.prod(large.grid) * large.threads if large.grid == larger.grid else 0
