"""The Metal runtime, through MLX: `mx.fast.metal_kernel` makes the signature and takes the body.

MLX has no guard zones: it makes the outputs itself, and fills all of them with one `init_value`. A buffer that is
updated in place is an input, a copy that nobody else has.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ..arguments import check_arguments, scalar_value, unchanged
from ..base import Availability, Backend, Executable, Finding, RunResult
from ..devices import describes
from ..errors import ArgumentError, CompileError, DeviceError, NoDevice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from ...hwmodels import Machine
    from ..base import KernelText, Launch

SMALLEST_INPUT: Final = 8
"""MLX passes inputs of fewer elements in constant memory, where the kernel's pointers do not point."""

NO_OUTPUT: Final = "nothing"
"""The output of a kernel that has none of its own, for MLX runs only what gives something."""

_DTYPES: Final = {
    "f16": "float16",
    "bf16": "bfloat16",
    "f32": "float32",
    "bool": "bool_",
    **{f"{k}{b}": f"{n}{b}" for k, n in (("i", "int"), ("u", "uint")) for b in (8, 16, 32, 64)},
}


@dataclass(frozen=True, slots=True)
class MetalCall:
    """A call of an MLX kernel, in NumPy: inputs by spelled name in order (arrays and 0-d scalars), with MLX's dtypes.

    `outputs` are (name, dtype, elements); an empty output has one element more, for MLX has no empty buffers. `grid` is
    in threads.
    """

    inputs: tuple[tuple[str, str, np.ndarray], ...]
    outputs: tuple[tuple[str, str, int], ...]
    template: tuple[tuple[str, int], ...]
    grid: tuple[int, int, int]
    threadgroup: tuple[int, int, int]
    init_value: float | None


def metal_call(text: KernelText, launch: Launch, args: Mapping[str, Any]) -> MetalCall:
    """Return the call for a launch. Raises ArgumentError for what MLX cannot be passed."""
    check_arguments(text, args)
    inputs: list[tuple[str, str, np.ndarray]] = []
    outputs: list[tuple[str, str, int]] = []
    template: list[tuple[str, int]] = []
    for p in text.params:
        name = p.spelled or p.name
        if p.kind == "template":
            # an array of no elements is no Metal type
            template.append((name, max(16, launch.shared_bytes)))
            continue
        dtype = _dtype(p.name, p.dtype)
        if p.kind == "scalar":
            inputs.append((name, dtype, scalar_value(p, args[p.name])))
        elif p.is_input:
            inputs.append((name, dtype, _padded(args[p.name], p.dtype)))
        elif args[p.name] is None:
            raise ArgumentError(f"argument {p.name}: MLX has no null outputs")
        else:
            outputs.append((name, dtype, max(1, args[p.name].size)))
    if not outputs:
        outputs.append((NO_OUTPUT, "uint8", 1))
    grid = tuple(g * b for g, b in zip(launch.grid, launch.block, strict=True))
    return MetalCall(tuple(inputs), tuple(outputs), tuple(template), grid, launch.block, _init_value(text, args))  # pyright: ignore[reportArgumentType]


class MetalBackend(Backend):
    """The Apple GPU of this Mac."""

    name = "metal"

    def availability(self) -> Availability:
        """Say which GPU MLX finds, or why it cannot run here."""
        try:
            mx = _mlx()
        except NoDevice as error:
            return Availability(self.name, False, str(error))
        return Availability(self.name, True, f"{_device(mx)}, MLX {mx.__version__}")

    def devices(self) -> Sequence[str]:
        """The name of the Apple GPU; empty where there is none."""
        try:
            return [_device(_mlx())]
        except NoDevice:
            return ()

    def device_for(self, machine: Machine) -> str | None:
        """Return the name of the GPU here if `machine` describes it."""
        try:
            name = _device(_mlx())
        except NoDevice:
            return None
        return name if describes(machine, (name,)) else None

    def compile(self, text: KernelText, machine: Machine) -> MetalExecutable:
        """Prepare a Metal text; MLX compiles it in the first run, which raises CompileError then. Raises NoDevice."""
        mx = _mlx()
        name = _device(mx)
        if not describes(machine, (name,)):
            raise NoDevice(f"no Metal device here is {machine.name}; found: {name}")
        return MetalExecutable(text, machine, mx, name)


class MetalExecutable(Executable):
    """A kernel for the Apple GPU."""

    def __init__(self, text: KernelText, machine: Machine, mx: Any, name: str) -> None:
        self.text, self.machine, self.mx, self.name = text, machine, mx, name
        self.kernel = make_kernel(mx, text)

    def run(
        self,
        launch: Launch,
        args: Mapping[str, Any],
        *,
        guard_bytes: int = 0,
        repeats: int = 0,
        order_seed: int | None = None,
    ) -> RunResult:
        """Run once, then `repeats` times by the wall clock, without guard zones; see Executable.run."""
        del guard_bytes, order_seed
        call = metal_call(self.text, launch, args)
        result = unchanged(self.text, args)
        result.device, result.guards_checked = self.name, False
        result.findings = self._limits(launch)
        if result.findings or 0 in launch.grid:
            return result
        inputs = [_to_mlx(self.mx, dtype, array) for _, dtype, array in call.inputs]
        outputs = self._evaluate(call, inputs)
        arrays = dict(zip((name for name, _, _ in call.inputs), inputs, strict=True))
        arrays |= dict(zip((name for name, _, _ in call.outputs), outputs, strict=True))
        for p in self.text.params:
            if p.role in ("out", "inout"):
                given = result.buffers[p.name]
                result.buffers[p.name] = _to_numpy(self.mx, arrays[p.spelled or p.name], given)
        for _ in range(repeats):
            start = time.perf_counter()
            self._evaluate(call, inputs)
            result.seconds.append(time.perf_counter() - start)
        if repeats:
            result.timing = "call time: wall clock around mx.eval, launch included, caches not flushed"
        return result

    def _evaluate(self, call: MetalCall, inputs: list[Any]) -> list[Any]:
        mx = self.mx
        options = {} if call.init_value is None else {"init_value": call.init_value}
        try:
            outputs = self.kernel(
                inputs=inputs,
                template=list(call.template),
                grid=call.grid,
                threadgroup=call.threadgroup,
                output_shapes=[(n,) for _, _, n in call.outputs],
                output_dtypes=[getattr(mx, dtype) for _, dtype, _ in call.outputs],
                **options,
            )
            mx.eval(outputs)
            mx.synchronize()
        except (RuntimeError, ValueError) as error:
            log = str(error)
            first = next((x.strip() for x in log.splitlines() if "error:" in x), log.splitlines()[0] if log else "")
            if "metal library" in log or "error:" in log:
                raise CompileError(f"{self.text.entry}: {first}", log) from None
            raise DeviceError(f"{self.name}: {first}") from None
        return list(outputs)

    def _limits(self, launch: Launch) -> list[Finding]:
        """What of the launch the machine model does not allow; MLX tells no limits."""
        problems: list[str] = []
        threads = self.machine.get("limits.threads_per_group")
        if threads is not None and launch.threads > threads:
            problems.append(f"{launch.threads} threads per group; {self.machine.name} allows {threads}")
        shared = self.machine.get("shared.per_group")
        if shared is not None and launch.shared_bytes > shared:
            problems.append(
                f"{launch.shared_bytes} bytes of shared memory per group; {self.machine.name} allows {shared}"
            )
        return [Finding("limit", p) for p in problems]


def make_kernel(mx: Any, text: KernelText) -> Any:
    """Return MLX's kernel object for a text, its names as `metal_call` orders them."""
    spelled = [(p, p.spelled or p.name) for p in text.params if p.kind in ("buffer", "scalar")]
    return mx.fast.metal_kernel(
        name=text.entry,
        input_names=[name for p, name in spelled if p.is_input],
        output_names=[name for p, name in spelled if not p.is_input] or [NO_OUTPUT],
        source=text.source,
        header=text.header,
    )


def _mlx() -> Any:
    try:
        import mlx.core as mx
    except ImportError as error:
        raise NoDevice(f"MLX is not there ({error}): install mlx on a Mac with Apple silicon") from None
    if not mx.metal.is_available():
        raise NoDevice("this MLX has no Metal back-end: kernels run on a Mac with Apple silicon only")
    return mx


def _device(mx: Any) -> str:
    # mx.device_info replaced mx.metal.device_info; older versions have only the latter
    read_info = getattr(mx, "device_info", None) or mx.metal.device_info
    return str(dict(read_info()).get("device_name", "Apple GPU"))


def _dtype(name: str, dtype: str) -> str:
    elem = dtype.partition("x")[0]
    if elem not in _DTYPES:
        raise ArgumentError(f"argument {name}: Metal has no {elem}")
    return _DTYPES[elem]


def _padded(array: Any, dtype: str) -> np.ndarray:
    """A flat input of at least SMALLEST_INPUT elements; what is added is as conspicuous as a guard zone."""
    import numpy as np

    from ..arguments import memory_dtype

    flat = np.empty(0, memory_dtype(dtype)) if array is None else np.ascontiguousarray(array).reshape(-1)
    missing = SMALLEST_INPUT - flat.size
    if missing <= 0:
        return flat
    words = np.full(2 * missing, 0x7FF80000, np.uint32).view(np.uint8)[: missing * flat.itemsize]
    return np.concatenate([flat, words.view(flat.dtype)])


def _init_value(text: KernelText, args: Mapping[str, Any]) -> float | None:
    """What MLX fills the outputs with: the one number in all inout buffers, else in all out ones, else None."""
    fills: dict[str, dict[str, float]] = {"inout": {}, "out": {}}
    several = False
    for p in text.params:
        if p.role in ("inout", "out") and not p.in_place and args[p.name] is not None and args[p.name].size:
            number = _fill(args[p.name], p.dtype)
            if number is not None:
                fills[p.role][repr(number)] = number
            elif p.role == "inout":
                raise ArgumentError(f"argument {p.name}: MLX fills outputs with one number, and this holds several")
            else:
                several = True
    inout, out = fills["inout"], fills["out"]
    if len(inout) > 1:
        raise ArgumentError(f"MLX fills all outputs with one number, and inout arguments hold {', '.join(inout)}")
    if inout or (len(out) == 1 and not several):
        return next(iter((inout or out).values()))
    return None


def _fill(array: Any, dtype: str) -> float | None:
    """The number that an array is filled with; None if it holds several."""
    import numpy as np

    values = np.asarray(array).reshape(-1)
    if values.tobytes() != values[:1].tobytes() * values.size:
        return None
    if dtype.startswith("bf16"):
        return float((values[:1].view(np.uint16).astype(np.uint32) << np.uint32(16)).view(np.float32)[0])
    return float(values[0])


def _to_mlx(mx: Any, dtype: str, array: Any) -> Any:
    import numpy as np

    if dtype == "bfloat16":
        return mx.array(np.asarray(array).view(np.uint16)).view(mx.bfloat16)
    return mx.array(np.asarray(array)).astype(getattr(mx, dtype))


def _to_numpy(mx: Any, array: Any, given: np.ndarray) -> np.ndarray:
    import numpy as np

    plain = array.view(mx.uint16) if array.dtype == mx.bfloat16 else array
    return np.array(plain).reshape(-1)[: given.size].view(given.dtype)
