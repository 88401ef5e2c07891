"""The CUDA runtime, through CuPy: texts compiled by NVRTC, as they are in the user's file."""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..arguments import Guarded, check_arguments, scalar_value, unchanged
from ..base import Availability, Backend, Executable, Finding, KernelText, RunResult
from ..compilers.nvrtc import header_folders
from ..devices import describes
from ..errors import CompileError, DeviceError, NoDevice
from .reader import nvrtc_include_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from ...hwmodels import Machine
    from ..base import Launch, TextParam

_PRELUDE: Final = '#include "gpuport_nvrtc.h"'
WARM_UP: Final = 3
"""Launches before those that are timed."""
_STATIC_LIMIT: Final = 48 << 10


def cuda_text(
    path: Path,
    entry: str,
    params: Sequence[TextParam],
    *,
    defines: Mapping[str, str] | None = None,
    include_dirs: Sequence[Path] = (),
) -> KernelText:
    """Return a user's CUDA file as a text to run; `entry` as in C++ (`softmax<256>`)."""
    flags = [f"-D{name}={value}" for name, value in (defines or {}).items()]
    flags += [f"-I{folder}" for folder in (path.parent, *include_dirs)]
    return KernelText("cuda", entry, path.read_text(encoding="utf-8"), tuple(params), options=tuple(flags))


class CudaBackend(Backend):
    """NVIDIA devices that CuPy finds."""

    name = "cuda"

    def availability(self) -> Availability:
        """Say which devices CuPy finds, or why none."""
        try:
            return Availability(self.name, True, "; ".join(_names(_cupy())))
        except NoDevice as error:
            return Availability(self.name, False, str(error))

    def devices(self) -> Sequence[str]:
        """Names of the CUDA devices; empty where there are none."""
        try:
            return _names(_cupy())
        except NoDevice:
            return ()

    def device_for(self, machine: Machine) -> str | None:
        """Return the name of the CUDA device here that `machine` describes, None if there is none."""
        try:
            cupy = _cupy()
            return _names(cupy)[_choose(cupy, machine)]
        except NoDevice:
            return None

    def compile(self, text: KernelText, machine: Machine) -> CudaExecutable:
        """Compile a CUDA text for the device of a machine. Raises CompileError, NoDevice."""
        cupy = _cupy()
        number = _choose(cupy, machine)
        # NVRTC has no host headers: ours stand for them, and the lines of the file keep their numbers
        folders = [str(nvrtc_include_dir()), *_cuda_headers(cupy)]
        options = ("--std=c++17", *(f"-I{folder}" for folder in folders), *text.options)
        code = f'{_PRELUDE}\n{text.header}\n#line 1 "{_file_name(text)}"\n{text.source}'
        with cupy.cuda.Device(number):
            return _build(cupy, text, code, options, number)


class CudaExecutable(Executable):
    """A kernel compiled for one CUDA device."""

    def __init__(self, text: KernelText, function: Any, number: int) -> None:
        import cupy

        self.text, self.function, self.number = text, function, number
        self.cupy: Any = cupy
        self.attributes: dict[str, int] = cupy.cuda.Device(number).attributes
        self.name = _names(cupy)[number]

    def run(
        self,
        launch: Launch,
        args: Mapping[str, Any],
        *,
        guard_bytes: int = 0,
        repeats: int = 0,
        order_seed: int | None = None,
    ) -> RunResult:
        """Run once, then `repeats` times between events with the L2 cache flushed; see Executable.run."""
        del order_seed
        check_arguments(self.text, args)
        findings = self._limits(launch)
        if findings or 0 in launch.grid:
            result = unchanged(self.text, args)
            result.findings, result.device = findings, self.name
            return result
        with self.cupy.cuda.Device(self.number), _device_errors(self.cupy, self.name):
            return self._run(launch, args, guard_bytes, repeats)

    def _run(self, launch: Launch, args: Mapping[str, Any], guard_bytes: int, repeats: int) -> RunResult:
        cupy = self.cupy
        # cudaMalloc aligns to 256 bytes, and vector loads need no more than 16
        buffers = {
            p.name: Guarded.of(p.name, args[p.name], guard_bytes, 256)
            for p in self.text.params
            if p.kind == "buffer" and args[p.name] is not None
        }
        memory = {name: cupy.asarray(b.image) for name, b in buffers.items()}
        values: list[Any] = []
        for p in self.text.params:
            if p.kind == "scalar":
                values.append(scalar_value(p, args[p.name]))
            elif p.kind == "buffer":
                b = buffers.get(p.name)
                values.append(cupy.uint64(0) if b is None else cupy.uint64(memory[p.name].data.ptr + b.start))
        if launch.shared_bytes + self.function.shared_size_bytes > _STATIC_LIMIT:
            self.function.max_dynamic_shared_size_bytes = launch.shared_bytes

        def go() -> None:
            self.function(launch.grid, launch.block, tuple(values), shared_mem=launch.shared_bytes)

        go()
        cupy.cuda.runtime.deviceSynchronize()
        result = RunResult({}, device=self.name)
        for name, b in buffers.items():
            after = cupy.asnumpy(memory[name])
            result.buffers[name] = b.contents(after)
            result.damaged_guards += b.damage(after)
        if repeats:
            written = {p.name for p in self.text.params if p.role in ("out", "inout")}
            self._time(go, repeats, [(memory[n], b.image) for n, b in buffers.items() if n in written], result)
        return result

    def _time(self, go: Callable[[], None], repeats: int, outputs: list[Any], result: RunResult) -> None:
        """Time launches between events. `outputs` are (array, its bytes before the run), restored each time."""
        cupy = self.cupy
        # restored from copies on the device, for it would idle and clock down during uploads
        fresh = [(array, cupy.asarray(image)) for array, image in outputs]
        # writing twice the L2 cache evicts what the launch before left there
        flush_bytes = 2 * self.attributes["L2CacheSize"]
        scratch = cupy.empty(flush_bytes, cupy.uint8)
        start, end = cupy.cuda.Event(), cupy.cuda.Event()
        for i in range(-WARM_UP, repeats):
            for array, copy in fresh:
                cupy.copyto(array, copy)
            scratch.fill(i & 255)
            start.record()
            go()
            end.record()
            cupy.cuda.runtime.deviceSynchronize()
            if i >= 0:
                result.seconds.append(cupy.cuda.get_elapsed_time(start, end) * 1e-3)
        flushed = f"L2 cache flushed by writing {flush_bytes >> 20} MiB before each launch"
        result.timing = f"kernel time between CUDA events (about 500 ns fine), {flushed}"

    def _limits(self, launch: Launch) -> list[Finding]:
        """What of the launch this device, or this kernel on it, does not allow."""
        problems: list[str] = []
        limit = self.function.max_threads_per_block
        if launch.threads > limit:
            problems.append(f"{launch.threads} threads per group; {self.name} allows {limit} for this kernel")
        for what, key, sizes in (("threads", "MaxBlockDim", launch.block), ("groups", "MaxGridDim", launch.grid)):
            for axis, size in zip("XYZ", sizes, strict=True):
                if size > self.attributes[key + axis]:
                    most = self.attributes[key + axis]
                    problems.append(f"{size} {what} along {axis.lower()}; {self.name} allows {most}")
        shared = self.function.shared_size_bytes + launch.shared_bytes
        most = self.attributes["MaxSharedMemoryPerBlockOptin"]
        if shared > most:
            problems.append(f"{shared} bytes of shared memory per group; {self.name} has {most}")
        return [Finding("limit", p) for p in problems]


def _build(cupy: Any, text: KernelText, code: str, options: tuple[str, ...], number: int) -> CudaExecutable:
    try:
        # not RawModule(code=...), which adds -ftz=true: subnormal numbers would become zero
        binary, names = cupy.cuda.compiler.compile_using_nvrtc(code, options, name_expressions=(text.entry,))
        with tempfile.TemporaryDirectory(prefix="gpuport-") as tmp:
            file = Path(tmp) / "kernel.cubin"
            file.write_bytes(binary)
            function = cupy.RawModule(path=str(file)).get_function(names[text.entry])
            _ = function.kernel  # loads it while the file is there
        return CudaExecutable(text, function, number)
    except cupy.cuda.compiler.CompileException as error:
        log = str(error)
        first = _first_error(log)
        # NVRTC's own file, in which it looks for the names that it was asked for
        wrong = f"no such kernel in the text ({first})" if first.startswith("__nv_name_map") else first
        raise CompileError(f"{text.entry}: {wrong}", log) from None
    except cupy.cuda.driver.CUDADriverError as error:
        raise CompileError(f"{text.entry}: the driver does not load it ({error})", str(error)) from None


def _cuda_headers(cupy: Any) -> list[str]:
    """The folders of CUDA's own headers (cuda_fp16.h, mma.h, ...), in packages and in the toolkit."""
    roots = [cupy.cuda.get_cuda_path(), os.environ.get("CUDA_PATH"), "/usr/local/cuda"]
    folders = [*header_folders(), *(str(Path(root) / "include") for root in roots if root)]
    # since CUDA 13 the C++ library, which cooperative_groups.h includes, has a folder of its own
    found = [path for folder in folders for path in (Path(folder), Path(folder) / "cccl") if path.is_dir()]
    return list(dict.fromkeys(map(str, found)))


def _file_name(text: KernelText) -> str:
    return re.sub(r"\W.*", "", text.entry.rsplit("::", 1)[-1]) + ".cu"


def _first_error(log: str) -> str:
    """NVRTC's first error: `softmax.cu(12): error: identifier "x" is undefined` as `softmax.cu:12: identifier ...`."""
    lines = [x.strip() for x in log.splitlines() if x.strip()] or [""]
    line = next((x for x in lines if re.search(r"\berror\b", x)), lines[0])
    located = re.match(r"(.*?)\((\d+)\): (?:catastrophic )?error(?: #?[\w-]+)?: (.*)", line)
    return f"{located[1]}:{located[2]}: {located[3]}" if located else line


def _cupy() -> Any:
    try:
        import cupy
    except ImportError as error:
        raise NoDevice(f"CuPy is not there ({error}): install cupy-cuda12x or cupy-cuda13x") from None
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise NoDevice(f"no CUDA device ({error})") from None
    if count == 0:
        raise NoDevice("no CUDA device")
    if cupy.cuda.runtime.is_hip:
        raise NoDevice("this CuPy runs on ROCm, not on CUDA")
    return cupy


def _names(cupy: Any) -> list[str]:
    count = cupy.cuda.runtime.getDeviceCount()
    return [cupy.cuda.runtime.getDeviceProperties(i)["name"].decode() for i in range(count)]


def _choose(cupy: Any, machine: Machine) -> int:
    names = _names(cupy)
    for i, name in enumerate(names):
        if describes(machine, (name,), (f"sm_{cupy.cuda.Device(i).compute_capability}",)):
            return i
    raise NoDevice(f"no CUDA device here is {machine.name}; found: {', '.join(names)}")


@contextmanager
def _device_errors(cupy: Any, name: str) -> Generator[None]:
    try:
        yield
    except cupy.cuda.memory.OutOfMemoryError as error:
        raise MemoryError(f"{name}: {error}") from None
    except (cupy.cuda.runtime.CUDARuntimeError, cupy.cuda.driver.CUDADriverError) as error:
        raise DeviceError(f"{name}: {error}") from None
