"""The OpenCL runtime, through PyOpenCL: any OpenCL device, the CPU by PoCL among them."""

from __future__ import annotations

import re
import time
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..arguments import Guarded, check_arguments, scalar_value, unchanged
from ..base import Availability, Backend, Executable, Finding, RunResult
from ..devices import describes
from ..errors import CompileError, DeviceError, NoDevice

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from ...hwmodels import Machine
    from ..base import KernelText, Launch

# PoCL writes "error: FILE:LINE:COL: TEXT", others "FILE:LINE:COL: error: TEXT"
_LOCATED = re.compile(r"(?:error: )?(?:<[^>]*>|[^\s:]+):(\d+):(\d+): (?:(?:fatal )?error: )?(.*)")


WARM_UP = 3
"""Launches before those that are timed."""


class OpenCLBackend(Backend):
    """OpenCL devices of all platforms. A machine of vendor `cpu` is the first CPU device, others are found by name."""

    name = "opencl"

    def availability(self) -> Availability:
        """Say which devices PyOpenCL finds."""
        try:
            found = _devices()
        except NoDevice as error:
            return Availability(self.name, False, str(error))
        return Availability(self.name, True, "; ".join(device_name(d) for d in found))

    def devices(self) -> Sequence[str]:
        """Names of all OpenCL devices; empty where there are none."""
        try:
            return [device_name(d) for d in _devices()]
        except NoDevice:
            return ()

    def device_for(self, machine: Machine) -> str | None:
        """Return the name of the OpenCL device here that `machine` describes, None if there is none."""
        try:
            return device_name(_choose(machine))
        except NoDevice:
            return None

    def compile(self, text: KernelText, machine: Machine) -> OpenCLExecutable:
        """Build an OpenCL C text for the device of a machine.

        Raises CompileError, NoDevice, and MachineError where PoCL cannot build for this CPU (GPUPORT_POCL_CPU).
        """
        import pyopencl as cl

        from ...hwmodels.probe.pocl import name_cpu

        device = _choose(machine)
        name_cpu(device)
        with _device_errors(device):
            context = cl.Context([device])
        program = cl.Program(context, text.source)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", cl.CompilerWarning)
            try:
                no_cache: Any = False  # PyOpenCL takes False, which its stub forgets
                built = program.build(list(text.options), devices=[device], cache_dir=no_cache)
            except cl.Error as error:
                log = _build_log(program, device)
                raise CompileError(
                    f"{text.entry}: {first_error(log, text.entry) or error}", log or str(error)
                ) from None
        names = [n for n in built.kernel_names.split(";") if n]
        if text.entry not in names:
            raise CompileError(f"{text.entry}: no such kernel in the text; it has {', '.join(names) or 'none'}")
        kernel = cl.Kernel(built, text.entry)
        if kernel.num_args != len(text.params):
            raise CompileError(f"{text.entry}: expected {len(text.params)} parameters, the text has {kernel.num_args}")
        return OpenCLExecutable(text, kernel, context, device, _flush_bytes(device, machine))


class OpenCLExecutable(Executable):
    """A kernel built for one OpenCL device."""

    def __init__(self, text: KernelText, kernel: Any, context: Any, device: Any, flush_bytes: int) -> None:
        import pyopencl as cl

        self.text, self.kernel, self.context, self.device = text, kernel, context, device
        self.flush_bytes = flush_bytes
        self.name = device_name(device)
        self.alignment = max(1, device.mem_base_addr_align // 8)
        info = cl.kernel_work_group_info
        self.threads_limit: int = kernel.get_work_group_info(info.WORK_GROUP_SIZE, device)
        self.static_shared: int = kernel.get_work_group_info(info.LOCAL_MEM_SIZE, device)
        self.required_block: list[int] = list(kernel.get_work_group_info(info.COMPILE_WORK_GROUP_SIZE, device))

    def run(
        self,
        launch: Launch,
        args: Mapping[str, Any],
        *,
        guard_bytes: int = 0,
        repeats: int = 0,
        order_seed: int | None = None,
    ) -> RunResult:
        """Run once, then `repeats` times by the device's own clock with caches flushed; see Executable.run."""
        del order_seed
        check_arguments(self.text, args)
        findings = self._limits(launch)
        if findings or 0 in launch.grid:
            result = unchanged(self.text, args)
            result.findings, result.device = findings, self.name
            return result
        with _device_errors(self.device):
            return self._run(launch, args, guard_bytes, repeats)

    def _run(self, launch: Launch, args: Mapping[str, Any], guard_bytes: int, repeats: int) -> RunResult:
        import numpy as np
        import pyopencl as cl

        properties = cl.command_queue_properties.PROFILING_ENABLE
        queue = cl.CommandQueue(self.context, self.device, properties=properties)
        buffers: dict[str, Guarded] = {}
        memory: dict[str, Any] = {}
        for name in (p.name for p in self.text.params if p.kind == "buffer" and args[p.name] is not None):
            shared = next((n for n in buffers if args[n] is args[name]), None)
            if shared is not None:
                buffers[name], memory[name] = buffers[shared], memory[shared]
                continue
            b = buffers[name] = Guarded.of(name, args[name], guard_bytes, self.alignment)
            memory[name] = cl.Buffer(self.context, cl.mem_flags.READ_WRITE, b.image.nbytes)
            cl.enqueue_copy(queue, memory[name], b.image)
        # set_arg holds no reference to what it is given: the sub-buffers have to outlive the launches
        values = [self._value(cl, p, launch, args, buffers, memory) for p in self.text.params]
        for i, value in enumerate(values):
            self.kernel.set_arg(i, value)
        threads = tuple(g * b for g, b in zip(launch.grid, launch.block, strict=True))

        def go() -> Any:
            return cl.enqueue_nd_range_kernel(queue, self.kernel, threads, launch.block)

        go()
        queue.finish()
        result = RunResult({}, device=self.name)
        for name, b in buffers.items():
            after = np.empty_like(b.image)
            cl.enqueue_copy(queue, after, memory[name])
            result.buffers[name] = b.contents(after)
            result.damaged_guards += b.damage(after)
        if repeats:
            written = {p.name for p in self.text.params if p.role in ("out", "inout")}
            outputs = [(memory[n], b.image) for n, b in buffers.items() if n in written]
            self._time(go, queue, repeats, outputs, result)
        return result

    @staticmethod
    def _value(cl: Any, param: Any, launch: Launch, args: Any, buffers: dict[str, Guarded], memory: Any) -> Any:
        if param.kind == "local":
            return cl.LocalMemory(max(1, launch.shared_bytes))
        if param.kind == "scalar":
            return scalar_value(param, args[param.name])
        b = buffers.get(param.name)
        if b is None:
            return None
        whole = b.start == 0 and b.size == b.image.nbytes
        return memory[param.name] if whole else memory[param.name].get_sub_region(b.start, max(1, b.size))

    def _time(
        self, go: Callable[[], Any], queue: Any, repeats: int, outputs: list[tuple[Any, Any]], result: RunResult
    ) -> None:
        """Time launches by profiling events. `outputs` are (buffer, its bytes before the run), restored each time."""
        import numpy as np
        import pyopencl as cl

        # restored from copies on the device, for it would idle and clock down during uploads
        fresh = [
            (buffer, cl.Buffer(self.context, cl.mem_flags.READ_ONLY, image.nbytes), image) for buffer, image in outputs
        ]
        for _, copy, image in fresh:
            cl.enqueue_copy(queue, copy, image)
        scratch = cl.Buffer(self.context, cl.mem_flags.READ_WRITE, self.flush_bytes) if self.flush_bytes else None
        for i in range(-WARM_UP, repeats):
            for buffer, copy, _ in fresh:
                cl.enqueue_copy(queue, buffer, copy)
            if scratch is not None:
                cl.enqueue_fill_buffer(queue, scratch, np.full(1, i & 255, np.uint32), 0, self.flush_bytes)
            queue.finish()
            start = time.perf_counter()
            event = go()
            event.wait()
            wall = time.perf_counter() - start
            seconds = (event.profile.end - event.profile.start) * 1e-9
            if not 0 <= seconds <= wall * 1.05 + 1e-6:
                raise DeviceError(
                    f"{self.name}: {seconds:.3g} s by its clock for a launch that took {wall:.3g} s in all"
                )
            if i >= 0:
                result.seconds.append(seconds)
        tick = self.device.profiling_timer_resolution
        coarse = ", coarse for so short a launch" if min(result.seconds) < 100e-9 * tick else ""
        flushed = f"caches flushed by writing {self.flush_bytes >> 20} MiB" if scratch else "caches not flushed"
        result.timing = f"kernel time by OpenCL profiling events ({tick} ns fine{coarse}), {flushed} before each launch"

    def _limits(self, launch: Launch) -> list[Finding]:
        """What of the launch this device, or this kernel on it, does not allow."""
        problems: list[str] = []
        if launch.threads > self.threads_limit:
            problems.append(
                f"{launch.threads} threads per group; {self.name} allows {self.threads_limit} for this kernel"
            )
        for axis, size, limit in zip("xyz", launch.block, self.device.max_work_item_sizes, strict=False):
            if size > limit:
                problems.append(f"{size} threads along {axis}; {self.name} allows {limit}")
        if any(self.required_block) and list(launch.block) != self.required_block:
            problems.append(f"groups of {launch.block}; the kernel requires {tuple(self.required_block)}")
        shared = self.static_shared + launch.shared_bytes
        if shared > self.device.local_mem_size:
            problems.append(f"{shared} bytes of shared memory per group; {self.name} has {self.device.local_mem_size}")
        return [Finding("limit", p) for p in problems]


def device_name(device: Any) -> str:
    """Return a device's name and its platform's: `pthread-AMD EPYC (Portable Computing Language)`."""
    return f"{_board(device) or device.name.strip()} ({device.platform.name.strip()})"


def first_error(log: str, entry: str) -> str:
    """Return the first error of a build log as `ENTRY.cl:LINE:COL: text`; empty for an empty log."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    line = next((x for x in lines if re.search(r"\b(error|fatal)\b", x, re.IGNORECASE)), lines[0] if lines else "")
    located = _LOCATED.fullmatch(line)
    return f"{entry}.cl:{located[1]}:{located[2]}: {located[3]}" if located else line


def all_devices() -> list[Any]:
    """Return every OpenCL device of every platform. Raises NoDevice with the reason where there is none."""
    return _devices()


def _devices() -> list[Any]:
    try:
        import pyopencl as cl
    except ImportError as error:
        hint = "install pyopencl (on Linux, pyopencl[pocl] brings a CPU device)"
        raise NoDevice(f"PyOpenCL is not there ({error}): {hint}") from None
    found: list[Any] = []
    try:
        for platform in cl.get_platforms():
            found += _platform_devices(cl, platform)
    except cl.Error as error:
        raise NoDevice(f"no OpenCL platform ({error})") from None
    if not found:
        raise NoDevice("no OpenCL device on any platform")
    return found


def _platform_devices(cl: Any, platform: Any) -> list[Any]:
    try:
        return list(platform.get_devices())
    except cl.Error:
        return []


def _choose(machine: Machine) -> Any:
    import pyopencl as cl

    found = _devices()
    if machine.vendor == "cpu":
        fitting = [d for d in found if d.type & cl.device_type.CPU]
    else:
        gpus = [d for d in found if d.type & (cl.device_type.GPU | cl.device_type.ACCELERATOR)]
        anything = machine.layer == "family" and machine.vendor == "other"
        fitting = [d for d in gpus if anything or describes(machine, (d.name, _board(d)), _architectures(d))]
    if not fitting:
        raise NoDevice(f"no OpenCL device here is {machine.name}; found: {', '.join(device_name(d) for d in found)}")
    return fitting[0]


def _board(device: Any) -> str:
    """The board's name where AMD's driver calls the device by its architecture; empty elsewhere."""
    import pyopencl as cl

    try:
        return str(device.board_name_amd).strip() if "cl_amd_device_attribute_query" in device.extensions else ""
    except (cl.Error, AttributeError):
        return ""


def _architectures(device: Any) -> list[str]:
    import pyopencl as cl

    name = device.name.strip()
    if name.startswith("gfx"):
        return [name.split(":")[0]]
    try:
        return [f"sm_{device.compute_capability_major_nv}{device.compute_capability_minor_nv}"]
    except (cl.Error, AttributeError):
        return []


def _flush_bytes(device: Any, machine: Machine) -> int:
    """Twice the largest cache that the device or its model tells of: NVIDIA's OpenCL tells of 4 MiB where L2 has 60."""
    known = [machine.get(path) for path in ("cache.l2.size", "cache.l3.size")]
    largest = max([int(device.global_mem_cache_size), *(int(size) for size in known if size)])
    return 2 * largest // 4 * 4


def _build_log(program: Any, device: Any) -> str:
    import pyopencl as cl

    try:
        return str(program.get_build_info(device, cl.program_build_info.LOG)).strip("\0\n ")
    except cl.Error:
        return ""


@contextmanager
def _device_errors(device: Any) -> Generator[None]:
    import pyopencl as cl

    try:
        yield
    except cl.MemoryError as error:
        raise MemoryError(f"{device_name(device)}: {error}") from None
    except cl.Error as error:
        raise DeviceError(f"{device_name(device)}: {error}") from None
