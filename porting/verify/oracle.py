"""The oracle: what each output should be, and how far a correct port may be from it.

Values come from the spec's float64 reference, else from the source run in float64. Bounds come from the source run in
error-carrying arithmetic (Higham, Accuracy and Stability, §3.3) with the destination's function accuracies. That bound
covers the source's own order of operations. A port keeps the order but for contraction, vector width and where a
subgroup's tree ends; these at most double the roundings on an operand's path, so a port gets `FACTOR` times the bound.
"""

from __future__ import annotations

import contextlib
import math
import threading
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ...backends.emulator import DomainUnsupported, EmulatorError, MachineDomain, emulate
from ...backends.emulator.bounds_domain import BoundsDomain
from ...backends.emulator.field_domain import FieldDomain
from ...backends.emulator.matrix_unit import unit_of
from ...backends.emulator.path_domain import QuantumDomain, ReachDomain
from ...ir import nodes as ir
from ...ir.analysis.exactness import budgeted, compensates, has_exact_arithmetic, keeps_signs
from ...ir.analysis.order import order_dependent
from ...ir.analysis.usage import contractible
from ...ir.rewrites.matrices import fragments
from ...ir.types import BF16, F32
from ..spec.data import Inputs, arguments, decode, draw, free_floats, is_drawn, outputs, shaped
from ..spec.generators import EXACT, INTEGER_PROBES, OF_INTEGERS, PROBES, InputKind
from ..spec.model import Tolerance
from ..spec.reference import ReferenceFailed, call_reference
from .accuracy import ULPS
from .compare import compare
from .expected import Expectation, Expected, boundless, exact_in_any_order, judged, opened, undefined

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...backends.base import Launch
    from ...backends.emulator import Emulation
    from ...backends.emulator.field_domain import FieldRun
    from ...hwmodels import Machine
    from ..spec.kernel import Kernel

SOURCE_SECONDS: Final = 20.0
"""Seconds that one emulated run of the source may take."""

PROBE_ELEMENTS: Final = 1 << 16
"""Exact-integer inputs are tried where no buffer has more elements than this: they run the source once more."""

_SUBNORMALS: Final = ("numerics.subnormals_f32", "numerics.atomic_subnormals_f32")


class Oracle:
    """Inputs, expected values and bounds for a kernel; one oracle serves all its destinations, in any threads.

    `program` is the source as read, run on an emulated `src` machine. `seed` fixes the inputs: secret until the
    candidates are fixed, kept in the report afterwards.
    """

    def __init__(
        self, kernel: Kernel, program: ir.Program, src: Machine, seed: int, time_limit: float = SOURCE_SECONDS
    ) -> None:
        self.kernel, self.program, self.src, self.seed = kernel, program, src, seed
        self.time_limit = time_limit
        self.functions = budgeted(program)
        self.order_dependent = order_dependent(program)
        self.exact_arithmetic = has_exact_arithmetic(program)
        self.compensated = compensates(program) and not contractible(program)
        self.signed_zeros = keeps_signs(program)
        self._lock = threading.Lock()
        self._inputs: dict[tuple[Any, ...], Inputs] = {}
        self._references: dict[tuple[Any, ...], dict[str, np.ndarray] | None] = {}
        self._expectations: dict[tuple[Any, ...], Expectation] = {}
        self._aliased: dict[tuple[Any, ...], str] = {}
        self._residues: dict[tuple[Any, ...], tuple[dict[str, np.ndarray], str]] = {}

    def rng(self, sizes: Mapping[str, int], purpose: str) -> np.random.Generator:
        """Return a generator that the seed, the sizes and a purpose fix."""
        return np.random.default_rng([self.seed, zlib.crc32(purpose.encode()), *sizes.values()])

    def inputs(self, sizes: Mapping[str, int], kind: InputKind = "normal") -> Inputs:
        """Return the inputs of one kind at a size, always the same ones. Raises SpecError, ReferenceFailed."""
        key = (*sizes.items(), kind)
        with self._lock:
            if key not in self._inputs:
                self._inputs[key] = draw(self.kernel, sizes, self.rng(sizes, kind), kind)
            return self._inputs[key]

    def reference(self, sizes: Mapping[str, int], kind: InputKind = "normal") -> dict[str, np.ndarray] | None:
        """Return the reference's outputs on these inputs, None if the spec has none. Raises ReferenceFailed."""
        inputs, key = self.inputs(sizes, kind), (*sizes.items(), kind)
        with self._lock:
            if key not in self._references:
                try:
                    with np.errstate(all="ignore") if kind in PROBES else contextlib.nullcontext():
                        self._references[key] = call_reference(self.kernel, sizes, inputs)
                except ReferenceFailed:
                    if kind not in PROBES:
                        raise
                    self._references[key] = None  # made for other numbers: the source alone judges these
            return self._references[key]

    def other_inputs(self, sizes: Mapping[str, int]) -> Inputs:
        """Return inputs that are tried nowhere else, for a run between two runs on the same inputs."""
        return draw(self.kernel, sizes, self.rng(sizes, "other"), "normal")

    def aliased(self, sizes: Mapping[str, int], launch: Launch, pair: tuple[str, str]) -> str:
        """Say in words why the source itself may not get one buffer for both of a pair; empty if it may."""
        key = (*sizes.items(), launch, pair)
        with self._lock:
            known = self._aliased.get(key)
        if known is None:
            apart = arguments(self.kernel, sizes, self.inputs(sizes))
            runs = [
                emulate(self.program, self.src, launch, args, roles=self.kernel.roles, max_seconds=self.time_limit)
                for args in (apart, {**apart, pair[1]: apart[pair[0]]})
            ]
            same = runs[0].buffers[pair[1]].tobytes() == runs[1].buffers[pair[1]].tobytes()
            found = [f.message for f in runs[1].findings]
            known = found[0] if found else "" if same or pair[1] in self.order_dependent else "its results differ"
            with self._lock:
                self._aliased[key] = known
        return known

    def residues(self, sizes: Mapping[str, int], launch: Launch, given: FieldRun) -> tuple[dict[str, np.ndarray], str]:
        """Run the source in the field: its residues, none where it cannot be followed, and why some are unknown."""
        key = (*sizes.items(), launch, given.seed, given.reverse)
        with self._lock:
            known = self._residues.get(key)
        if known is None:
            known = self._run_in_field(sizes, launch, given)
            with self._lock:
                self._residues[key] = known
        return known

    def _run_in_field(
        self, sizes: Mapping[str, int], launch: Launch, given: FieldRun
    ) -> tuple[dict[str, np.ndarray], str]:
        domain = FieldDomain(given)
        args, roles = arguments(self.kernel, sizes, self.inputs(sizes)), self.kernel.roles
        try:
            found = emulate(
                self.program, self.src, launch, args, roles=roles, domain=domain, max_seconds=self.time_limit
            )
        except DomainUnsupported as error:
            return {}, str(error)
        except EmulatorError as error:
            return {}, f"the source cannot be run in a finite field ({error})"
        return found.residues or {}, ", ".join(domain.reasons)

    def probes(self) -> tuple[InputKind, ...]:
        """Return the kinds of inputs that look for one class of errors each.

        None where the spec makes the inputs, or sets a tolerance, which is for the numbers that the user had in mind.
        """
        spec = self.kernel.model.reference
        drawn = [a for a in self.kernel.args.values() if is_drawn(a)]
        if spec.inputs is not None or not drawn or any(isinstance(m, Tolerance) for m in spec.compare.values()):
            return ()
        if not free_floats(self.kernel):
            return INTEGER_PROBES
        integers = any(not a.scalar.is_float and a.scalar.kind != "bool" for a in drawn)
        return tuple(k for k in PROBES if integers or k not in OF_INTEGERS)

    def kinds(self, sizes: Mapping[str, int]) -> tuple[InputKind, ...]:
        """Return the kinds of inputs that are tried at every size of the spec."""
        elements = max((math.prod(self.kernel.shape(n, sizes)) for n in self.kernel.args), default=0)
        return ("normal", "exact") if free_floats(self.kernel) and elements <= PROBE_ELEMENTS else ("normal",)

    def expect(
        self, sizes: Mapping[str, int], launch: Launch, kind: InputKind, dst: Machine, language: str, fp64: str = ""
    ) -> Expectation:
        """Return what the outputs should be on a destination, its matrix unit included where the source has matrices.

        `fp64`: how the port holds doubles, if not as doubles (`KernelText.fp64`): the bounds are of such arithmetic.
        `launch` is the source's own. `language` and `dst` tell the accuracy of the destination's functions and whether
        it flushes subnormals. With inputs of kind `exact` the outputs that are exact in any order are found too.
        Raises ReferenceFailed, SpecError, EmulatorError.
        """
        flushes = tuple(path for path in _SUBNORMALS if dst.get(path, "kept") == "flushed")
        # languages that are as accurate in what the program computes share one run of the source
        accuracy = tuple(ULPS[language].get(name) for name in self.functions)
        unit = unit_of(dst, language) if fragments(self.program) else None
        key = (*sizes.items(), launch, kind, accuracy, flushes, fp64, unit)
        with self._lock:
            known = self._expectations.get(key)
        if known is None:
            bounds = BoundsDomain(ULPS[language], fp64, unit)
            known = self._expect(sizes, launch, kind, dst, bounds, flushes=flushes, fp64=fp64)
            with self._lock:
                self._expectations[key] = known
        return known

    def _expect(
        self,
        sizes: Mapping[str, int],
        launch: Launch,
        kind: InputKind,
        dst: Machine,
        bounds: BoundsDomain,
        *,
        flushes: Sequence[str],
        fp64: str,
    ) -> Expectation:
        inputs, reference = self.inputs(sizes, kind), self.reference(sizes, kind)
        names = outputs(self.kernel)
        if 0 in launch.grid:
            return self._nothing_runs(names, sizes, inputs, reference)
        args, roles = arguments(self.kernel, sizes, inputs), self.kernel.roles
        # bounds must allow for what the destination flushes
        bounded = self.src.with_facts({path: dst.fact(path) for path in flushes})

        def run(domain: Any = None, *, flushing: bool = False) -> Any:
            machine = bounded if domain or flushing else self.src
            return emulate(self.program, machine, launch, args, roles=roles, domain=domain, max_seconds=self.time_limit)

        unsupported = ""
        try:
            found = run(bounds)
        except DomainUnsupported as error:
            found, unsupported = run(), str(error)
        # numbers that are exact as doubles need not be in fewer bits
        plain = run() if kind in EXACT and self.exact_arithmetic and not unsupported and not fp64 else None
        branches = _SUBNORMALS[0] in flushes and self._exactly_compared()
        flushed = run(flushing=True) if branches or (unsupported and flushes) else None
        expectation = judged(self.kernel, found, plain, reference, unsupported, flushed)
        if expectation.source_faults and kind in PROBES:
            # the reference is not made for such numbers: the port must do as the source does
            expectation = judged(self.kernel, found, plain, None, unsupported, flushed)
        if found.suspects and not _same(run(), run(MachineDomain(other_poison=True))):
            findings = (*expectation.source_findings, *found.suspects)
            expectation = replace(expectation, source_findings=findings)
        if plain is not None and self.compensated:
            # float64 has room for what the products lost, and shows nothing of it
            own = {n: decode(plain.buffers[n], self.kernel.args[n].scalar) for n in expectation.outputs}
            meant = {n: replace(e, values=own[n], exact=True) for n, e in expectation.outputs.items()}
            expectation = replace(expectation, outputs=meant)
        elif plain is not None and any(e.exact and e.bounds.any() for e in expectation.outputs.values()):
            expectation = exact_in_any_order(self.kernel, expectation, run(ReachDomain()), run(QuantumDomain()))
        if kind == "largest" and not unsupported:
            expectation = opened(self.kernel, expectation, run(ReachDomain()))
        if boundless(expectation):  # x * x - y * y, of equal numbers, may be below 0 where it is fused
            own = [run(MachineDomain(contract=fused)) for fused in (False, True)]
            expectation = undefined(self.kernel, expectation, own)
        if _SUBNORMALS[0] in flushes:
            small = {n: e for n, e in expectation.outputs.items() if self.kernel.args[n].scalar in (F32, BF16)}
            expectation = replace(
                expectation, outputs={**expectation.outputs, **{n: replace(e, flushes=True) for n, e in small.items()}}
            )
        if kind in PROBES and (bitwise := self._bitwise()):
            expectation = self._as_the_source(expectation, plain or run(), bitwise)
        if flushed is not None and branches:
            expectation = self._or_flushed(expectation, flushed)
        # zeros of both signs are meant where they are the kind, and where the spec makes the inputs
        meant_signs = kind == "zeros" or self.kernel.model.reference.inputs is not None
        if meant_signs and self.signed_zeros and found.values64 is not None:
            signs = {n: np.signbit(v) for n, v in found.values64.items() if n in expectation.outputs}
            changed = {n: replace(expectation.outputs[n], negative=s) for n, s in signs.items()}
            expectation = replace(expectation, outputs={**expectation.outputs, **changed})
        return expectation

    def _exactly_compared(self) -> list[str]:
        """The outputs that no bound judges, of a kernel with floats that a machine may flush."""
        args = self.kernel.args
        if not any(a.is_buffer and a.scalar in (F32, BF16) for a in args.values()):
            return []
        modes = self.kernel.model.reference.compare
        return [n for n in outputs(self.kernel) if modes.get(n) == "exact" or not args[n].scalar.is_float]

    def _bitwise(self) -> list[str]:
        """The float outputs that the spec wants compared exactly."""
        modes, args = self.kernel.model.reference.compare, self.kernel.args
        return [n for n in outputs(self.kernel) if modes.get(n) == "exact" and args[n].scalar.is_float]

    def _as_the_source(self, expectation: Expectation, own: Emulation, names: Sequence[str]) -> Expectation:
        """Bits that the reference has otherwise (the order of zeros of both signs), or lacks, are the source's."""
        out = dict(expectation.outputs)
        for name in names:
            scalar = self.kernel.args[name].scalar
            values = decode(own.buffers[name], scalar)
            if name in out and compare(values, out[name], scalar, "exact").bad:
                out[name] = replace(out[name], values=values, basis="the source's own bits")
        return replace(expectation, outputs=out)

    def _or_flushed(self, expectation: Expectation, flushed: Emulation) -> Expectation:
        """Where a flushed comparison went the other way, the source's own results on such a machine are right too."""
        out = dict(expectation.outputs)
        for name in self._exactly_compared():
            if name in out:
                own = decode(flushed.buffers[name], self.kernel.args[name].scalar)
                same = np.array_equal(own, out[name].values, equal_nan=own.dtype.kind == "f")
                out[name] = out[name] if same else replace(out[name], flushed=own)
        return replace(expectation, outputs=out)

    def _nothing_runs(
        self, names: list[str], sizes: Mapping[str, int], inputs: Inputs, reference: dict[str, np.ndarray] | None
    ) -> Expectation:
        """With no group in the grid, inout buffers stay and out buffers had better be empty."""
        out: dict[str, Expected] = {}
        missing: dict[str, str] = {}
        faults: list[str] = []
        for name in names:
            if reference is not None:
                values = reference[name].reshape(-1)
                start = (
                    decode(inputs.buffers[name].reshape(-1), self.kernel.args[name].scalar)
                    if name in inputs.buffers
                    else None
                )
                if values.size and (start is None or not np.array_equal(start, values, equal_nan=True)):
                    faults.append(f"{name}: no group runs, so the source leaves it as it was")
            elif name in inputs.buffers:
                values = decode(inputs.buffers[name].reshape(-1), self.kernel.args[name].scalar)
            elif 0 in shaped(self.kernel, name, sizes):
                values = np.zeros(0)
            else:
                missing[name] = "no group runs, so nothing tells what this output should be"
                continue
            out[name] = Expected(values, np.zeros(values.shape), "nothing runs", exact=True)
        return Expectation(out, source_faults=tuple(faults), missing=missing)


def _same(run: Emulation, other: Emulation) -> bool:
    """Whether two runs that differ in what is undefined left the same: then nothing uses it."""
    return all(a.tobytes() == other.buffers[n].tobytes() for n, a in run.buffers.items())
