"""`emulate`: run a program for a launch on a machine, chunk of groups by chunk."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...hwmodels import Machine
from ...ir import nodes as ir
from ...ir.rewrites.matrices import expand
from ...ir.types import Pointer as PointerType
from ...ir.types import Scalar, Space, Struct, Vector, scalar_of
from ..base import Finding, Launch, Role
from ..errors import ArgumentError
from .compiler import Compiler, Slot, cell_of
from .domain import Domain
from .errors import EmulatorError
from .findings import Collector
from .formats import LANE
from .lanes import stack
from .machine_domain import MachineDomain
from .matrix_unit import UnitSum
from .memory import Memory, buffer_region, null_region
from .regions import Per, Pointer, Region
from .state import Frame, State
from .statements import block
from .traffic import Traffic

CHUNK_LANES = 1 << 16
CHUNK_BYTES = 1 << 28


@dataclass(slots=True)
class Emulation:
    """What a run left behind.

    `buffers`: flat arrays of every pointer argument by name, in the argument's own dtype. `bounds` and `values64`: in
    the bounds domain the error bounds and the float64 values of float buffers. `residues`: see `FieldDomain`.
    `counts`: what the lanes did: `ops.T` arithmetic on values of type T, `math.T.F` calls of function F, `loads.S`,
    `stores.S`, `atomics.S` and `bytes.S` of memory space S (an atomic moves its bytes both ways), `barriers`,
    `shuffles`, `votes`; chunks. With `traffic` also `compares.T`, `conversions.T.U` between types of which one is a
    float, `divergent_branches` (subgroups that a condition splits, each time that it does), and what `Traffic` counts.
    `suspects`: operations with undefined results, which are defects only if something uses these; a run with the other
    poison tells (`MachineDomain(other_poison=True)`).
    """

    buffers: dict[str, Any]
    findings: list[Finding]
    counts: dict[str, int]
    bounds: dict[str, Any] | None = None
    values64: dict[str, Any] | None = None
    residues: dict[str, Any] | None = None
    regions: dict[str, Region] = field(default_factory=dict, repr=False)
    suspects: list[Finding] = field(default_factory=list)


def emulate(
    program: ir.Program,
    machine: Machine,
    launch: Launch,
    args: Mapping[str, Any],
    *,
    roles: Mapping[str, Role],
    domain: Domain | None = None,
    max_steps: int = 50_000_000,
    max_seconds: float = math.inf,
    group_order: Sequence[int] | np.ndarray | None = None,
    traffic: bool = False,
) -> Emulation:
    """Run `program` on an emulated `machine` and report defects that the run shows.

    args: a flat NumPy array for each pointer parameter (elements of the pointer's type, vectors flattened; None for a
    null pointer; the same array for two parameters is one buffer), a Python number for each scalar; pointers to shared
    memory take none and get `launch.shared_bytes`.
    roles: `in`, `out` or `inout` for each pointer argument. `in` buffers may not be written; `out` buffers may not be
    read before they are written. The arrays passed in are never changed.
    domain: how floats are computed; default the machine's own formats.
    max_steps: statement executions (each for all lanes of a chunk) before StepLimit is raised; max_seconds likewise.
    group_order: a permutation of the linear group numbers: the order in which groups run.
    traffic: count transactions of global memory and cycles of shared memory too (`traffic.Traffic`), which takes time.

    A launch beyond the machine's limits is not run: the result has a finding of kind `limit` and unchanged buffers.
    An empty grid leaves the buffers as they were. Raises ArgumentError for arguments that do not fit, StepLimit,
    DomainUnsupported, and EmulatorError for a program, launch or group order that cannot be emulated.
    """
    with np.errstate(all="ignore"):
        return _Run(
            program,
            machine,
            launch,
            args,
            roles,
            domain or MachineDomain(),
            max_steps,
            group_order,
            max_seconds,
            traffic,
        ).run()


class _Run:
    def __init__(
        self, program: ir.Program, machine: Machine, launch: Launch, args: Mapping[str, Any], roles: Mapping[str, Role],
        domain: Domain, max_steps: int, group_order: Sequence[int] | np.ndarray | None, max_seconds: float,
        traffic: bool,
    ) -> None:  # fmt: skip
        self.program = expand(program, rounding=UnitSum if domain.unit is not None else None)
        self.machine, self.launch = machine, launch
        self.args, self.roles, self.domain = args, roles, domain
        self.total = launch.grid[0] * launch.grid[1] * launch.grid[2]
        if self.total < 0 or launch.threads < 1:
            raise EmulatorError(f"a group needs at least one thread: grid {launch.grid}, block {launch.block}")
        self.order = np.arange(self.total) if group_order is None else np.asarray(group_order, np.int64)
        if not np.array_equal(np.sort(self.order), np.arange(self.total)):
            raise EmulatorError(f"group_order must be a permutation of the {self.total} groups")
        self.findings = Collector()
        width = int(machine.get("execution.subgroup_width", 1))
        self.state = State(launch, width, program.language, max_steps, self.findings, time.monotonic() + max_seconds)
        domain.flush_atomics = machine.get("numerics.atomic_subnormals_f32", "kept") == "flushed"
        domain.flush = machine.get("numerics.subnormals_f32", "kept") == "flushed"
        self.memory = Memory(self.state, domain)
        if traffic:
            self.memory.traffic = Traffic.of(machine)
        self.buffers: dict[str, Region] = {}
        self.dtypes: dict[str, Any] = {}

    def run(self) -> Emulation:
        s = self.state
        compiler = Compiler(self.program, s, self.memory, self.domain)
        kernel = self.program.kernel
        known = {p.name for p in kernel.params}
        for name in self.args:
            if name not in known:
                raise ArgumentError(
                    f"argument {name}: the kernel has no such parameter; it has {', '.join(sorted(known))}"
                )
        compiler.enter(kernel)
        binds = [self._parameter(compiler, p) for p in kernel.params]
        body = block(compiler, kernel.body)
        self._limits(compiler.shared_bytes)
        if not self.findings.result():
            local = [r for r in self.memory.regions if r.per is not Per.LAUNCH]
            step = self._chunk(local)
            for start in range(0, self.total, step):
                s.begin(self.order[start : start + step])
                s.kernel = s.frame = Frame()
                for region in local:
                    region.allocate()
                    self.domain.attach(region)
                for bind in binds:
                    bind()
                body()
                s.counts["chunks"] = s.counts.get("chunks", 0) + 1
        return self._result()

    def _chunk(self, local: list[Region]) -> int:
        """Groups that run together: about CHUNK_LANES lanes, and private and shared memory within CHUNK_BYTES."""
        threads = self.launch.threads
        per_group = sum(r.stride * (threads if r.per is Per.THREAD else 1) for r in local)
        return max(1, min(CHUNK_LANES // threads, CHUNK_BYTES // max(per_group, 1)))

    def _parameter(self, c: Compiler, p: ir.Param) -> Any:
        t = p.type
        value = self.args.get(p.name)
        target = c.parameter(p)
        s = self.state
        if isinstance(t, PointerType):
            assert isinstance(target, Slot)
            region = self._buffer(c, p, t, value)
            here = Pointer(region, np.zeros((1, 1), np.int64))
            return lambda: target.bind(here, None)
        if not isinstance(t, (Scalar, Vector)):
            raise EmulatorError(f"parameter {p.name}: type {t} cannot be emulated", p.loc)
        if p.name not in self.args:
            raise ArgumentError(f"argument {p.name}: missing; expected a value of type {t}")
        ready = self._scalar(p.name, t, value)
        if isinstance(target, Slot):
            return lambda: target.bind(ready, None)
        access, at = self.memory.access(t, p.loc), Pointer(target, np.zeros((1, 1), np.int64))
        assert s.mask is None
        return lambda: self.memory.store(at, access, ready)

    def _scalar(self, name: str, t: Scalar | Vector, value: Any) -> Any:
        scalar = scalar_of(t)
        items = list(value) if isinstance(t, Vector) else [value]
        if isinstance(t, Vector) and len(items) != t.lanes:
            raise ArgumentError(f"argument {name}: expected {t.lanes} components, got {len(items)}")
        try:
            if scalar.is_float:
                ready = [self.domain.constant(float(v), scalar) for v in items]
            else:
                ready = [np.full((1, 1), int(v), LANE[scalar]) for v in items]
        except (TypeError, ValueError, OverflowError):
            raise ArgumentError(f"argument {name}: expected a value of type {t}, got {value!r}") from None
        if not isinstance(t, Vector):
            return ready[0]
        return stack(ready)

    def _buffer(self, c: Compiler, p: ir.Param, t: PointerType, value: Any) -> Region:
        if isinstance(t.elem, PointerType):
            raise EmulatorError(f"parameter {p.name}: pointers kept in memory cannot be emulated", p.loc)
        elem, layout = cell_of(t.elem), t.elem if isinstance(t.elem, Struct) else None
        if t.space is Space.SHARED:
            return c.add_region(p.name, elem, self.launch.shared_bytes, shared=True, layout=layout)
        if value is None:
            if p.name not in self.args:
                raise ArgumentError(
                    f"argument {p.name}: missing; expected an array of {t.elem}, or None for a null pointer"
                )
            return self.memory.add(null_region(self.state, p.name, elem))
        role = self.roles.get(p.name)
        if role not in ("in", "out", "inout"):
            raise ArgumentError(f"argument {p.name}: expected a role of in, out or inout, got {role!r}")
        array = np.asarray(value)
        others = [n for n in self.args if n != p.name and self.args[n] is value]
        if others:
            role = "inout"
            if (shared := next((self.buffers[n] for n in others if n in self.buffers), None)) is not None:
                return self._shared(p, shared, elem, array)
        region = self.memory.add(buffer_region(self.state, p.name, elem, array, role, layout))
        self.dtypes[p.name] = array.dtype
        if role != "in":
            c.shadow(region)
        self.domain.attach(region)
        self.buffers[p.name] = region
        return region

    def _shared(self, p: ir.Param, region: Region, elem: Scalar, array: np.ndarray) -> Region:
        """The buffer of another parameter, for which the same array is passed."""
        if region.elem != elem:
            raise ArgumentError(f"argument {p.name}: shares its memory with a buffer of {region.elem}")
        self.dtypes[p.name], self.buffers[p.name] = array.dtype, region
        return region

    def _limits(self, shared: int) -> None:
        get, launch = self.machine.get, self.launch
        most = get("limits.threads_per_group", None)
        loc = self.program.kernel.loc
        if most is not None and launch.threads > most:
            self.findings.add(
                "limit", f"a group of {launch.threads} threads; {self.machine.name} allows {most}", loc, "threads"
            )
        if (bound := self.program.launch_bound) is not None:
            # OpenCL's reqd_work_group_size is the size along x itself, the others' bound the most threads of a group
            exact = self.program.language == "opencl"
            threads = launch.block[0] if exact else launch.threads
            if threads > bound or (exact and threads != bound):
                self.findings.add("limit", f"{threads} threads; the kernel is declared for {bound}", loc, "bound")
        for what, unit, sizes in (("group_dim", "threads", launch.block), ("grid_dim", "groups", launch.grid)):
            for axis, size, limit in zip("xyz", sizes, get(f"limits.{what}", None) or (), strict=False):
                if size > limit:
                    text = f"{size} {unit} along {axis}; {self.machine.name} allows {limit}"
                    self.findings.add("limit", text, loc, f"{what} {axis}")
        capacity = get("shared.per_group_optin", None) or get("shared.per_group", None)
        if capacity is not None and shared > capacity:
            self.findings.add(
                "limit",
                f"{shared} bytes of shared memory per group; {self.machine.name} allows {capacity}",
                loc,
                "shared",
            )

    def _result(self) -> Emulation:
        if self.memory.traffic is not None:
            self.memory.traffic.finish(self.state)
        buffers = {
            name: np.array(region.data[: region.size]).view(self.dtypes[name]) for name, region in self.buffers.items()
        }
        out = Emulation(buffers, self.findings.result(), dict(self.state.counts), regions=self.buffers)
        out.suspects = self.state.suspects.result()
        self.domain.finish(out)
        return out
