"""What every backend shares: the text of a kernel, a launch, its arguments, and what a run gives back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from ..hwmodels import Machine
    from ..ir.nodes import Loc

Role = Literal["in", "out", "inout"]


@dataclass(frozen=True, slots=True)
class TextParam:
    """A parameter of an emitted kernel, in call order.

    kind: `buffer` (dtype, role), `scalar` (dtype), `local` (local memory of the launch's `shared_bytes`, an OpenCL
    argument), `template` (an integer template argument of MLX that receives the launch's `shared_bytes`).
    `spelled` is the name in the text where the destination forbids `name`; empty where they are the same. `in_place`
    tells of an inout buffer that MLX gets as an input, a copy of its own that the kernel writes through.
    """

    name: str
    kind: Literal["buffer", "scalar", "local", "template"]
    dtype: str = ""
    role: Role | None = None
    spelled: str = ""
    in_place: bool = False

    @property
    def is_input(self) -> bool:
        """Whether MLX gets it as an input: what it only reads, and what is updated in place."""
        return self.role in ("in", None) or self.in_place


@dataclass(frozen=True, slots=True)
class KernelText:
    """An emitted kernel: what a runtime compiles, and what the reader of that language reads back.

    For Metal, `source` is the body and `header` what stands before the kernel, as `mx.fast.metal_kernel` takes them;
    for all other languages `source` is the whole file and `header` is empty. `fp64` says how the spec's f64 numbers are
    held where the destination has no double: "float32", or "double-single", pairs of floats; empty as they are.
    """

    language: Literal["cuda", "hip", "opencl", "metal"]
    entry: str
    source: str
    params: tuple[TextParam, ...]
    header: str = ""
    options: tuple[str, ...] = ()
    fp64: str = ""


@dataclass(frozen=True, slots=True)
class Launch:
    """Groups along x, y, z; threads in a group along x, y, z; dynamic shared memory in bytes."""

    grid: tuple[int, int, int]
    block: tuple[int, int, int]
    shared_bytes: int = 0

    @property
    def threads(self) -> int:
        """Threads in a group."""
        return self.block[0] * self.block[1] * self.block[2]


@dataclass(frozen=True, slots=True)
class Finding:
    """A defect that a run showed, apart from its values: kind, what happened, where.

    kinds: out-of-bounds, read-only, race, divergence, uninitialised, misaligned, shuffle, arithmetic, limit. `buffer`
    is the buffer or variable it is about, `element` the number of the element in it, `threads` who did it, both in a
    race.
    """

    kind: str
    message: str
    loc: Loc | None = None
    buffer: str = ""
    element: int | None = None
    threads: tuple[str, ...] = ()


@dataclass(slots=True)
class RunResult:
    """After a run: every buffer's contents (flat arrays by name), damaged guards, findings, seconds per repeat.

    `guards_checked` is False where the runtime has no guard zones. `device` names what ran the kernel, `timing` how
    `seconds` were taken.
    """

    buffers: dict[str, np.ndarray]
    damaged_guards: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    guards_checked: bool = True
    device: str = ""
    timing: str = ""


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a backend can run here: what was found, or the reason why not."""

    backend: str
    available: bool
    detail: str


class Executable(ABC):
    """A compiled kernel."""

    @abstractmethod
    def run(
        self,
        launch: Launch,
        args: Mapping[str, Any],
        *,
        guard_bytes: int = 0,
        repeats: int = 0,
        order_seed: int | None = None,
    ) -> RunResult:
        """Run once on copies of `args` (flat arrays for buffers, Python numbers for scalars, by parameter name).

        Each buffer lies between guard zones of `guard_bytes`, checked afterwards, where the runtime allows that. The
        same array for two buffers is one buffer for both in emulation and in OpenCL.
        `repeats` more runs are timed. An emulated device runs the groups in an order shuffled by `order_seed`. The
        arrays passed in are never written. A launch beyond the device's limits is not run: the result has a finding of
        kind `limit` and unchanged buffers; an empty grid leaves the buffers as they were. Raises ArgumentError,
        DeviceError.
        """


class Backend(ABC):
    """A runtime. Heavy libraries are imported in the methods."""

    name: str

    @abstractmethod
    def availability(self) -> Availability:
        """Say what this backend found here, or why it cannot run."""

    @abstractmethod
    def compile(self, text: KernelText, machine: Machine) -> Executable:
        """Compile a kernel; raises CompileError with the compiler's message, NoDevice if this machine is not here."""

    def device_for(self, machine: Machine) -> str | None:
        """Return the name of the device here that `machine` describes, None if there is none."""
        del machine
        return None

    def devices(self) -> Sequence[str]:
        """Names of the devices that this backend can use here."""
        return ()
