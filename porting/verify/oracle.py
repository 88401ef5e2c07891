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
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ...backends.emulator import DomainUnsupported, EmulatorError, emulate
from ...backends.emulator.bounds_domain import BoundsDomain
from ...backends.emulator.field_domain import FieldDomain
from ...backends.emulator.formats import LARGEST, PRECISION, ROUNDOFF, UNDERFLOW
from ...backends.emulator.matrix_unit import unit_of
from ...backends.emulator.path_domain import QuantumDomain, ReachDomain
from ...ir import nodes as ir
from ...ir.analysis.order import adds_floats, order_dependent
from ...ir.analysis.usage import contractible
from ...ir.rewrites.matrices import expand, fragments
from ...ir.types import BF16, F32, Scalar, scalar_of
from ...ir.walk import walk
from ..spec.data import Inputs, arguments, decode, draw, free_floats, is_drawn, outputs, shaped
from ..spec.generators import EXACT, INTEGER_PROBES, OF_INTEGERS, PROBES, InputKind
from ..spec.model import Tolerance
from ..spec.reference import ReferenceFailed, call_reference
from .accuracy import ULPS
from .compare import compare

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...backends.base import Finding, Launch
    from ...backends.emulator import Emulation
    from ...backends.emulator.field_domain import FieldRun
    from ...hwmodels import Machine
    from ..spec.kernel import Kernel

FACTOR: Final = 2.0
NORMWISE: Final = 2 * FACTOR
"""Where the error analysis does not apply: this many times the largest deviation of the source's own machine arithmetic
from the reference, over the whole output. A port's roundings are at most FACTOR times as many; twice that, since one
run is a sample of the deviation and no bound. The basis in the report says `normwise`."""

SOURCE_SECONDS: Final = 20.0
"""Seconds that one emulated run of the source may take."""

PROBE_ELEMENTS: Final = 1 << 16
"""Exact-integer inputs are tried where no buffer has more elements than this: they run the source once more."""

_SUBNORMALS: Final = ("numerics.subnormals_f32", "numerics.atomic_subnormals_f32")
_EXACT_CALLS: Final = frozenset(
    "fma fabs fmin fmax floor ceil trunc rint round copysign isnan isinf min max abs".split()
)


@dataclass(frozen=True, slots=True)
class Expected:
    """One output: `values` as `spec.data.decode` gives them, flat; `bounds` per element, absolute (0 for integers).

    `basis` says where values and bounds come from. `exact`: integers all the way, so every order gives these bits.
    `negative`: the signs of zeros, where they can be told. `open`: elements that another order of the same sums and
    products may overflow in, so that nothing is said of them. `flushes`: the destination makes subnormals zero.
    `flushed`: what the source gives then, where that differs and bounds have no say (integers, exact comparison).
    """

    values: np.ndarray
    bounds: np.ndarray
    basis: str
    exact: bool = False
    negative: np.ndarray | None = None
    open: np.ndarray | None = None
    flushes: bool = False
    flushed: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a run should give.

    `source_findings`: defects of the source kernel itself; `source_faults`: outputs in which the source disagrees with
    its reference, in words; `missing`: outputs that nothing here can judge, with the reason.
    """

    outputs: dict[str, Expected]
    source_findings: tuple[Finding, ...] = ()
    source_faults: tuple[str, ...] = ()
    missing: dict[str, str] = field(default_factory=dict)


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
        expectation = self._judge(found, plain, reference, unsupported, flushed)
        if expectation.source_faults and kind in PROBES:
            # the reference is not made for such numbers: the port must do as the source does
            expectation = self._judge(found, plain, None, unsupported, flushed)
        if plain is not None and self.compensated:
            # float64 has room for what the products lost, and shows nothing of it
            own = {n: decode(plain.buffers[n], self.kernel.args[n].scalar) for n in expectation.outputs}
            meant = {n: replace(e, values=own[n], exact=True) for n, e in expectation.outputs.items()}
            expectation = replace(expectation, outputs=meant)
        elif plain is not None and any(e.exact and e.bounds.any() for e in expectation.outputs.values()):
            expectation = self._exact_in_any_order(expectation, run(ReachDomain()), run(QuantumDomain()))
        if kind == "largest" and not unsupported:
            expectation = self._open(expectation, run(ReachDomain()))
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

    def _exact_in_any_order(self, expectation: Expectation, reach: Emulation, quantum: Emulation) -> Expectation:
        """Where the source's order was exact: whether every partial result of any order has few enough digits."""
        out = dict(expectation.outputs)
        for name, e in out.items():
            scalar = self.kernel.args[name].scalar
            if e.exact and scalar.is_float:
                most, last = (r.bounds[name] if r.bounds is not None else np.inf for r in (reach, quantum))
                with np.errstate(over="ignore", invalid="ignore"):
                    digits = np.log2(np.maximum(most, 2.0**-1000)) - last
                out[name] = replace(e, exact=bool((digits <= PRECISION[scalar]).all()))
        return replace(expectation, outputs=out)

    def _open(self, expectation: Expectation, reach: Emulation) -> Expectation:
        """Leave open what another order of the same sums and products may overflow in."""
        out = dict(expectation.outputs)
        for name, e in out.items():
            scalar = self.kernel.args[name].scalar
            if scalar.is_float and reach.bounds is not None:
                out[name] = replace(e, open=~(reach.bounds[name] <= LARGEST[scalar]))
        return replace(expectation, outputs=out)

    def _judge(
        self,
        found: Emulation,
        plain: Emulation | None,
        reference: dict[str, np.ndarray] | None,
        unsupported: str,
        flushed: Emulation | None,
    ) -> Expectation:
        """Values and bounds from a run of the source, `found`, and from the reference.

        plain: a run in the machine's arithmetic, where sums may be exact. unsupported: why there are no error bounds.
        flushed: without bounds, a run that flushes subnormal numbers as the destination does.
        """
        out: dict[str, Expected] = {}
        faults: list[str] = []
        missing: dict[str, str] = {}
        for name in outputs(self.kernel):
            scalar = self.kernel.args[name].scalar
            own = decode(found.buffers[name], scalar)
            ref = None if reference is None else reference[name].reshape(-1)
            if not scalar.is_float:
                values = own if ref is None else ref
                out[name] = Expected(values, np.zeros(values.shape), _basis(ref is not None, "exact"), exact=True)
            elif found.bounds is not None and found.values64 is not None:
                bounds, carried = found.bounds[name], found.values64[name]
                values = carried if ref is None else ref
                # the float64 reference has roundings of its own, which matter beside an f64 kernel's
                factor = FACTOR + (1.0 if scalar.name == "f64" else 0.0)
                # 2^-50: what a reference of float64 may itself be off by, eight of its roundings; infinities are exact
                allowed = factor * bounds + np.where(np.isfinite(values), 2.0**-50 * np.abs(values), 0.0)
                allowed = np.where(bounds == 0, 0.0, allowed) if ref is None else allowed
                allowed = np.where(np.isinf(bounds), np.inf, allowed)  # beside a NaN, too
                if scalar.name == "f64":  # beyond the range of what holds a double there
                    allowed = np.where(np.isinf(carried) & np.isfinite(values), np.inf, allowed)
                exact = plain is not None and np.array_equal(decode(plain.buffers[name], scalar), values)
                out[name] = Expected(
                    values, allowed, _basis(ref is not None, f"{factor:g} x running error bound"), exact
                )
                own = carried
            elif ref is None:
                missing[name] = f"no reference, and error bounds do not apply ({unsupported})"
                continue
            else:
                basis = _basis(True, f"{NORMWISE:g} x the source's own deviation, normwise ({unsupported})")
                runs = [own] if flushed is None else [own, decode(flushed.buffers[name], scalar)]
                out[name] = Expected(ref, np.maximum.reduce([_normwise(r, ref, scalar) for r in runs]), basis)
            if ref is not None and (fault := self._disagrees(name, own, out[name], scalar)):
                faults.append(fault)
        return Expectation(out, tuple(found.findings), tuple(faults), missing)

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

    def _disagrees(self, name: str, own: np.ndarray, expected: Expected, scalar: Scalar) -> str:
        unordered = self.kernel.model.reference.compare.get(name) == "sorted"
        result = compare(own, expected, scalar, "sorted" if unordered else None)
        if result.bad == 0:
            return ""
        return f"{name}[{result.index}]: the source gives {result.got:.9g}, its reference {result.expected:.9g}"


def _basis(reference: bool, bound: str) -> str:
    return f"{'float64 reference' if reference else 'source in float64'}, {bound}"


def _normwise(own: np.ndarray, ref: np.ndarray, scalar: Scalar) -> np.ndarray:
    finite = np.isfinite(own) & np.isfinite(ref)
    gap = float(np.abs(own[finite] - ref[finite]).max(initial=0.0))
    bounds = NORMWISE * gap + ROUNDOFF[scalar] * np.abs(ref) + UNDERFLOW[scalar]
    return np.where(np.isinf(ref), 0.0, bounds)  # an infinity is exact: a share of it would allow any number


def budgeted(program: ir.Program) -> tuple[str, ...]:
    """Return what a program computes whose accuracy is the language's: its functions, and "/" if it divides."""
    program = expand(program)
    nodes = [n for f in (*program.functions, program.kernel) for n in walk(f)]
    called = {n.fn for n in nodes if isinstance(n, ir.MathCall)}
    divides = any(isinstance(n, ir.Binary | ir.Assign) and n.op == "/" for n in nodes)
    return tuple(sorted(called | {c.removeprefix("fast_") for c in called})) + (("/",) if divides else ())


def has_exact_arithmetic(program: ir.Program) -> bool:
    """Tell whether integers as floats stay integers: no float division, and no function that rounds."""
    for function in (*program.functions, program.kernel):
        for node in walk(function):
            if isinstance(node, ir.MathCall) and node.fn not in _EXACT_CALLS:
                return False
            divides = isinstance(node, ir.Binary | ir.Assign) and node.op == "/"
            if divides and _float_result(node):
                return False
    return True


def compensates(program: ir.Program) -> bool:
    """Tell whether a program asks what a product lost in rounding, by fma(a, b, -p): then its own order is meant."""
    for function in (*program.functions, program.kernel):
        for node in walk(function):
            if isinstance(node, ir.MathCall) and node.fn == "fma":
                last = node.args[2]
                if isinstance(last, ir.Unary) and last.op == "-" and not isinstance(last.value, ir.Const):
                    return True
    return False


def keeps_signs(program: ir.Program) -> bool:
    """Tell whether the signs of zeros are determined: no float sums, whose order decides them, and no fmin or fmax."""
    for function in (*program.functions, program.kernel):
        for node in walk(function):
            if isinstance(node, ir.Binary | ir.Assign) and node.op in ("+", "-") and _float_result(node):
                return False
            if isinstance(node, ir.MathCall) and node.fn in ("fma", "fmin", "fmax", "fdim"):
                return False
            if isinstance(node, ir.Atomic) and adds_floats(node):
                return False
    return True


def _float_result(node: ir.Node) -> bool:
    t = node.type if isinstance(node, ir.Binary) else node.target.type if isinstance(node, ir.Assign) else None
    return t is not None and scalar_of(t).is_float
