"""The gates: each looks at runs of a candidate and can refute one thing."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ...backends.emulator.formats import to_bf16
from ..report.schema import GateVerdict, WorstElement
from ..spec.data import decode, encode, outputs, poisoned, shaped
from ..spec.model import Tolerance
from .compare import Compared, Mode, compare

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from ...backends.base import Finding, RunResult
    from ...ir.types import Scalar
    from ..spec.data import Inputs
    from ..spec.kernel import Kernel
    from .expected import Expectation, Expected

GATES: Final = MappingProxyType({
    "text": "the text may compile to another program elsewhere",
    "accuracy": "a function is less accurate than the source's",
    "assembles": "the vendor's compiler rejects the text",
    "compiles": "the text does not compile, or cannot be read back",
    "completes": "a run crashes, does not end, or has no memory left",
    "source": "the source itself is defective, or disagrees with its reference",
    "sanitizer": "a defect that the emulated device sees, or a launch beyond the device's limits",
    "guards": "memory beside a buffer is written",
    "inputs unchanged": "an input is written",
    "outputs written": "an element of an output is never written",
    "values": "a value is further from what is expected than its bound",
    "exact": "a value is not the exact one, where every order of operations is exact",
    "signed zeros": "a zero has the wrong sign",
    "algebra": "another formula than the source's, in a finite field",
    "alias": "other results where input and output share their memory",
    "history": "other results after a run on other inputs",
    "deterministic": "other results on the same inputs",
    "power": "refutes nothing: says of a size that wrong results would pass as well",
})  # fmt: skip
"""Every gate, and what it refutes."""

SHOWN: Final = 3
"""Findings that a gate's detail lists; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a gate says: a verdict, the evidence in words, the worst element where elements were compared."""

    verdict: GateVerdict
    detail: str = ""
    worst: WorstElement | None = None


def gate_findings(results: Sequence[RunResult]) -> Said:
    """Refute a run in which the sanitizer found a defect, or whose launch is beyond the device's limits."""
    found = list(dict.fromkeys(described(f) for r in results for f in r.findings))
    if not found:
        return Said("tested")
    more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return Said("refuted", "; ".join(found[:SHOWN]) + more)


def described(finding: Finding) -> str:
    """Return a finding in one line."""
    return f"{finding.kind}: {finding.message}{f' ({finding.loc})' if finding.loc else ''}"


def gate_guards(results: Sequence[RunResult], *, emulated: bool) -> Said:
    """Refute a run that wrote beside a buffer."""
    damaged = list(dict.fromkeys(d for r in results for d in r.damaged_guards))
    if damaged:
        return Said("refuted", "; ".join(damaged[:SHOWN]))
    if emulated:
        return Said("tested", "every access is checked against its buffer")
    if not all(getattr(r, "guards_checked", True) for r in results):
        return Said("unknown", "this runtime allows no guard zones")
    return Said("tested")


def gate_inputs(kernel: Kernel, args: Mapping[str, Any], results: Sequence[RunResult]) -> Said:
    """Refute a run that changed an `in` buffer."""
    for name, arg in kernel.args.items():
        if arg.role != "in" or not arg.is_buffer:
            continue
        for result in results:
            if name not in result.buffers:
                return Said("unknown", f"the runtime does not give {name} back")
            changed = np.flatnonzero(_bits(result.buffers[name]) != _bits(args[name]))
            if changed.size:
                return Said("refuted", f"input {name} was changed: {changed.size} elements, first [{changed[0]}]")
    return Said("tested", f"inputs with the sha256 {digest(kernel, args)[:16]}")


def digest(kernel: Kernel, args: Mapping[str, Any]) -> str:
    """Return the sha256 of the arguments that the kernel may read, in order, in hexadecimal."""
    found = hashlib.sha256()
    for name, arg in kernel.args.items():
        if arg.role != "out" and args[name] is not None:
            found.update(np.ascontiguousarray(args[name]).tobytes() if arg.is_buffer else repr(args[name]).encode())
    return found.hexdigest()


def gate_written(kernel: Kernel, first: RunResult, second: RunResult, poisons: tuple[int, int]) -> Said:
    """Refute a run that leaves elements of an `out` buffer as they were, under two different fill patterns."""
    for name, arg in kernel.args.items():
        if arg.role != "out":
            continue
        a, b = _bits(first.buffers[name]), _bits(second.buffers[name])
        fills = [_bits(poisoned(arg.scalar, 1, p))[0] for p in poisons]
        left = np.flatnonzero((a == fills[0]) & (b == fills[1]))
        if left.size:
            return Said("refuted", f"{left.size} of {a.size} elements of {name} are never written, first [{left[0]}]")
    return Said("tested")


def gate_deterministic(
    kernel: Kernel, first: RunResult, others: Sequence[RunResult], again: Sequence[RunResult],
    expectation: Expectation, *, order_dependent: Collection[str], emulated: bool,
) -> Said:  # fmt: skip
    """Refute results that differ between runs on the same inputs.

    others ran on other poisons, in emulation with the groups in another order too; `again` are further runs on the
    first poison. `order_dependent`: the outputs that may depend on the order of the source's float atomics; these may
    differ where every run is within the bound, and where there is no finite bound nothing is said.
    """
    said: list[Said] = []
    for n in outputs(kernel):
        reference = _in_order(kernel, n, first)
        for runs, with_poison in ((again, False), (others, True)):
            what = "with what the outputs held before" if with_poison and again else "between runs"
            what = "with the order of groups" if emulated and not with_poison else what
            for other in runs:
                changed = np.flatnonzero(reference != _in_order(kernel, n, other))
                if changed.size:
                    text = f"{changed.size} elements of {n} differ {what}, first [{changed[0]}]"
                    by_order = n in order_dependent
                    said.append(
                        _by_order(kernel, n, (first, other), changed, expectation, text)
                        if by_order
                        else Said("refuted", text)
                    )
    if said:
        return _strongest(said)
    repeats = 1 + len(others) + len(again)
    return Said("tested", f"{repeats} runs bit-identical{', in shuffled group order' if emulated else ''}")


def _by_order(
    kernel: Kernel, name: str, runs: Sequence[RunResult], changed: np.ndarray, expectation: Expectation, text: str
) -> Said:
    """Judge a difference in an output that the order of float atomics may make: by the bounds, which are for any."""
    if name in expectation.missing:
        return Said("unknown", f"order-dependent (float atomics), with no bound: {text}")
    expected, scalar, mode = expectation.outputs[name], kernel.args[name].scalar, compare_mode(kernel, name)
    if any(compare(decode(r.buffers[name], scalar), expected, scalar, mode).bad for r in runs):
        return Said("refuted", f"{text}, beyond the bound")
    if mode in (None, "float") and _unbounded(expected)[changed].any():
        return Said("unknown", f"order-dependent (float atomics), partly with no finite bound: {text}")
    return Said("tested", f"order-dependent within the bound (float atomics): {text}")


def _unbounded(expected: Expected) -> np.ndarray:
    loose = np.isposinf(expected.bounds)
    return loose if expected.open is None else loose | expected.open


def gate_history(kernel: Kernel, first: RunResult, after: RunResult, *, order_dependent: Collection[str]) -> Said:
    """Refute results that a run on other inputs in between has changed: both runs had the same inputs."""
    by_order = ""
    for n in outputs(kernel):
        changed = np.flatnonzero(_in_order(kernel, n, first) != _in_order(kernel, n, after))
        if changed.size and n not in order_dependent:
            what = f"{changed.size} elements of {n} differ after a run on other inputs, first [{changed[0]}]"
            return Said("refuted", what)
        if changed.size:
            by_order = f"{n} differs from run to run (float atomics), so it cannot be told"
    return Said("unknown", by_order) if by_order else Said("tested", "the same again after a run on other inputs")


def gate_alias(
    kernel: Kernel, pair: tuple[str, str], apart: RunResult, shared: RunResult, expectation: Expectation, *,
    order_dependent: Collection[str],
) -> Said:  # fmt: skip
    """Refute results that differ where one buffer is passed for the input and the output of `pair`."""
    both, name = f"{pair[0]} and {pair[1]}", pair[1]
    if shared.findings:
        return Said("refuted", f"with one buffer for {both}: {described(shared.findings[0])}")
    changed = np.flatnonzero(_bits(apart.buffers[name]) != _bits(shared.buffers[name]))
    if changed.size and name in order_dependent and name in expectation.outputs:
        scalar = kernel.args[name].scalar
        got = decode(shared.buffers[name], scalar)
        if not compare(got, expectation.outputs[name], scalar, compare_mode(kernel, name)).bad:
            return Said("tested", f"within the bound with one buffer for {both}")
    if changed.size:
        return Said("refuted", f"{changed.size} elements differ with one buffer for {both}, first [{changed[0]}]")
    return Said("tested", f"the same with one buffer for {both}")


def gate_zeros(kernel: Kernel, expectation: Expectation, results: Sequence[RunResult]) -> Said | None:
    """Refute zeros of the wrong sign, where the kernel computes nothing that leaves it open; None where it may."""
    judged = {n: (e.values, e.negative) for n, e in expectation.outputs.items() if e.negative is not None}
    for name, (expected, signs) in judged.items():
        for result in results:
            got = decode(result.buffers[name], kernel.args[name].scalar)
            values, negative = expected, signs
            if compare_mode(kernel, name) == "sorted":
                got = got[np.lexsort((~np.signbit(got), got))]
                order = np.lexsort((~negative, values))
                values, negative = values[order], negative[order]
            wrong = (got == 0) & (values == 0) & (np.signbit(got) != negative)
            if wrong.any():
                at = int(np.flatnonzero(wrong)[0])
                return Said("refuted", f"{int(wrong.sum())} zeros of {name} have the wrong sign, first [{at}]")
    return Said("tested") if judged else None


def _in_order(kernel: Kernel, name: str, run: RunResult) -> np.ndarray:
    """Return an output's bits; sorted where the spec leaves the order of the elements open."""
    bits = _bits(run.buffers[name])
    return np.sort(bits) if compare_mode(kernel, name) == "sorted" else bits


def gate_values(
    kernel: Kernel, expectation: Expectation, results: Sequence[RunResult], sizes: Mapping[str, int]
) -> Said:
    """Refute an output that is further from its expected value than its bound, in any of the runs."""
    said: list[Said] = []
    for name in outputs(kernel):
        if name in expectation.missing:
            said.append(Said("unknown", f"{name}: {expectation.missing[name]}"))
            continue
        expected, scalar, mode = expectation.outputs[name], kernel.args[name].scalar, compare_mode(kernel, name)
        for result in results:
            c = compare(decode(result.buffers[name], scalar), expected, scalar, mode)
            said.append(_judged(name, c, expected, mode, shaped(kernel, name, sizes)))
    return _strongest(said)


def _judged(name: str, c: Compared, expected: Expected, mode: Mode | None, shape: tuple[int, ...]) -> Said:
    if c.index is None:
        return Said("tested", f"{name}: empty")
    index = () if mode == "sorted" else tuple(int(i) for i in np.unravel_index(c.index, shape))
    worst = WorstElement(buffer=name, index=index, got=c.got, expected=c.expected, bound=c.bound)
    if math.isnan(c.got) and math.isnan(c.expected):
        worst = None  # nothing but NaN, as it should be: no distance to tell of
    how = (
        f"the user's tolerance, rtol {mode.rtol:g}, atol {mode.atol:g}"
        if isinstance(mode, Tolerance)
        else expected.basis
    )
    how = "compared exactly" if mode == "exact" else how
    if c.bad:
        return Said("refuted", f"{name}: {c.bad} of {expected.values.size} elements out of bounds ({how})", worst)
    if c.unjudged:
        return Said(
            "unknown", f"{name}: {c.unjudged} of {expected.values.size} elements have no finite bound ({how})", worst
        )
    return Said("tested", f"{name}: {how}", worst)


def gate_exact(
    kernel: Kernel, expectation: Expectation, results: Sequence[RunResult], sizes: Mapping[str, int]
) -> Said | None:
    """Refute an output that is not bit for bit the exact result, on inputs for which every order is exact.

    None where no float output is known to be exact on these inputs.
    """
    said: list[Said] = []
    for name, expected in expectation.outputs.items():
        scalar = kernel.args[name].scalar
        if not expected.exact or not scalar.is_float or compare_mode(kernel, name) not in (None, "float", "exact"):
            continue
        for result in results:
            got = decode(result.buffers[name], scalar) + 0.0  # the sign of a zero sum is not part of the probe
            c = compare(got, _without_signed_zeros(expected), scalar, "exact")
            said.append(_judged(name, c, expected, "exact", shaped(kernel, name, sizes)))
    return _strongest(said) if said else None


def _without_signed_zeros(expected: Expected) -> Expected:
    return dataclasses.replace(expected, values=expected.values + 0.0)


def _strongest(said: Sequence[Said]) -> Said:
    """Refuted before unknown before tested; among those, the one nearest to (or furthest over) its bound."""
    if not said:
        return Said("unknown", "the kernel has no output")
    rank = {"refuted": 0, "unknown": 1, "tested": 2, "proved": 3}
    return min(said, key=lambda s: (rank[s.verdict], -(s.worst.share if s.worst else -1.0)))


@dataclass(frozen=True, slots=True)
class Power:
    """Which wrong results the value gate rejects on one set of inputs, by names such as `y: zeros`.

    `right` ones are exactly what was expected, so nothing can be learned from them.
    """

    rejected: frozenset[str]
    accepted: frozenset[str]
    right: frozenset[str]

    @property
    def said(self) -> Said:
        """Unknown where a wrong result would have passed, or cannot be told from the right one."""
        weak = sorted(self.accepted) + [f"{n} (is right here)" for n in sorted(self.right)]
        if weak:
            return Said("unknown", f"this size proves nothing against {', '.join(weak)}")
        return Said("tested", f"rejects {', '.join(sorted(self.rejected))}")


def power(kernel: Kernel, expectation: Expectation, inputs: Inputs, fp64: str = "") -> Power:
    """Give the value gate wrong results, one output at a time, and see which it rejects.

    They are zeros, a constant mean, copies of inputs, cut off or repeated to size, and the right values in a lower
    precision, but for doubles that the port holds as floats (`fp64`).
    """
    groups: dict[str, set[str]] = {"rejected": set(), "accepted": set(), "right": set()}
    for name, expected in expectation.outputs.items():
        scalar, mode = kernel.args[name].scalar, compare_mode(kernel, name)
        if not expected.values.size:
            continue
        true = _representable(expected.values, scalar)
        for label, wrong in _impostors(kernel, true, expected, scalar, inputs, mode):
            if label == "f32 rounding" and fp64 == "float32":
                continue
            if np.array_equal(wrong, true, equal_nan=scalar.is_float):
                if label.endswith("rounding"):
                    continue  # these values fit the lower precision
                group = "right"
            else:
                group = "rejected" if compare(wrong, expected, scalar, mode).bad else "accepted"
            groups[group].add(f"{name}: {label}")
    return Power(*(frozenset(groups[g]) for g in ("rejected", "accepted", "right")))


def _impostors(
    kernel: Kernel, true: np.ndarray, expected: Expected, scalar: Scalar, inputs: Inputs, mode: Mode | None
) -> list[tuple[str, np.ndarray]]:
    finite = true[np.isfinite(true)] if scalar.is_float else true
    mean = float(finite.astype(np.float64).mean()) if finite.size else 0.0
    out = [
        ("zeros", np.zeros_like(true)),
        ("constant mean", np.full_like(true, mean if scalar.is_float else round(mean))),
    ]
    for other, memory in inputs.buffers.items():
        if memory.size and kernel.args[other].scalar.is_float == scalar.is_float:
            # one program at every size: where the sizes differ too, or a size at which a copy is right would be alone
            start = decode(memory.reshape(-1)[: true.size], kernel.args[other].scalar)
            out.append((f"copy of {other}", np.resize(start, true.shape).astype(true.dtype)))
    if scalar.is_float and not isinstance(mode, Tolerance):
        with np.errstate(over="ignore"):
            single = true.astype(np.float32)
            low = single if scalar.name == "f64" else to_bf16(single) if scalar.name != "bf16" else None
        if low is not None:
            out.append(("f32 rounding" if scalar.name == "f64" else "bf16 rounding", low.astype(np.float64)))
    return out


def _representable(values: np.ndarray, scalar: Scalar) -> np.ndarray:
    return decode(encode(values, scalar), scalar)


def compare_mode(kernel: Kernel, name: str) -> Mode | None:
    """How the spec wants an output compared; None: floats by bound, integers exactly."""
    return kernel.model.reference.compare.get(name)


def _bits(a: Any) -> np.ndarray:
    flat = np.ascontiguousarray(a).reshape(-1)
    return flat.view(np.dtype(f"u{flat.dtype.itemsize}"))
