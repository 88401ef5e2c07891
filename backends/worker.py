"""The child process in which kernels are compiled and run: `python -m gpuport.backends.worker REQUESTS ANSWERS MEMORY`.

It reads requests from one pipe and answers on another; see `wire`. It ends when its parent does. Standard output is not
used: kernels print there.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
import time
import traceback
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from ..hwmodels.errors import GpuportError
from . import wire
from .errors import CompileError, DeviceError
from .held import HeldDoubles

if TYPE_CHECKING:
    from ..hwmodels import Machine
    from .base import Backend, Executable, KernelText

    Answer = list[bytes | memoryview]


def make_backend(name: str) -> Backend:
    """Return the backend of a name; raises GpuportError with the known ones."""
    if name == "opencl":
        from ..hwmodels.probe.pocl import VARIABLE
        from .opencl.runtime import OpenCLBackend

        # PoCL 3.0 cannot build on new CPUs without a change to its memory, which does no harm in this process
        os.environ.setdefault(VARIABLE, "auto")
        return OpenCLBackend()
    if name == "cuda":
        from .cuda.runtime import CudaBackend

        return CudaBackend()
    if name == "metal":
        from .metal.runtime import MetalBackend

        return MetalBackend()
    if name == "emulator":
        from .emulator.backend import EmulatorBackend
        from .readers import read_text

        return EmulatorBackend(read=read_text)
    raise GpuportError(f"no backend is called {name!r}; known: opencl, cuda, metal, emulator")


def compile_text(backend: str, text: KernelText, machine: Machine) -> Executable:
    """Compile a kernel on a backend; where it holds doubles in another form, its callers need not know."""
    executable = make_backend(backend).compile(text, machine)
    return HeldDoubles(text, executable) if text.fp64 else executable


class _Worker:
    def __init__(self) -> None:
        self.executable: Executable | None = None

    def answer(self, request: dict[str, Any]) -> Answer:
        if request["do"] == "compile":
            start = time.perf_counter()
            self.executable = compile_text(request["backend"], request["text"], request["machine"])
            return wire.answer("compiled", seconds=time.perf_counter() - start)
        assert self.executable is not None
        if request["do"] == "field":
            from .emulator import EmulatedKernel

            assert isinstance(self.executable, EmulatedKernel | HeldDoubles)
            return wire.result_answer(
                self.executable.run_in_field(request["launch"], request["args"], request["given"])
            )
        return wire.result_answer(self.executable.run(request["launch"], request["args"], **request["options"]))

    def guarded_answer(self, request: dict[str, Any] | MemoryError) -> Answer:
        """Answer a request; an error of the kernel's or the user's making is an answer too."""
        try:
            if isinstance(request, MemoryError):
                raise request
            return self.answer(request)
        except CompileError as error:
            return wire.answer("compile_failed", message=str(error), log=error.log)
        except DeviceError as error:
            return wire.answer("device_failed", message=str(error))
        except MemoryError as error:
            return wire.answer("out_of_memory", message=str(error))
        except GpuportError as error:
            return wire.answer("failed", message=str(error), error=type(error).__name__)
        except Exception:  # a bug of ours: the parent raises it with this traceback
            return wire.answer("bug", message=traceback.format_exc())


def _read(fd: int, count: int) -> bytearray:
    data = bytearray(count)
    left = memoryview(data)
    while left:
        got = os.readv(fd, [left])
        if not got:
            # the parent closed the pipe or died: nobody waits for what runs here
            os._exit(0)
        left = left[got:]
    return data


def _receive(fd: int, requests: SimpleQueue[dict[str, Any] | MemoryError]) -> None:
    while True:
        try:
            length = int.from_bytes(_read(fd, wire.LENGTH_BYTES), "little")
            requests.put(pickle.loads(_read(fd, length)))  # the parent's, not a kernel's
        except MemoryError:
            requests.put(MemoryError("no room for the arguments"))


def _send(fd: int, parts: Answer) -> None:
    for part in parts:
        view = memoryview(part)
        while len(view):
            view = view[os.write(fd, view[: 1 << 20]) :]


def _limit(memory: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory:
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))


def main() -> None:
    """Serve requests until the parent closes its pipe."""
    incoming, outgoing, memory = (int(a) for a in sys.argv[1:4])
    for fd in (incoming, outgoing):
        os.set_inheritable(fd, False)
    _limit(memory)
    requests: SimpleQueue[dict[str, Any] | MemoryError] = SimpleQueue()
    threading.Thread(target=_receive, args=(incoming, requests), daemon=True).start()
    worker = _Worker()
    _send(outgoing, wire.answer("ready"))
    while True:
        _send(outgoing, worker.guarded_answer(requests.get()))


if __name__ == "__main__":
    main()
