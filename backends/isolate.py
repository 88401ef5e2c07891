"""Run a kernel in a child process with limits: a crash, a hang or an allocation without end is an outcome, not an end.

The child is a boundary against accidents. It is none against an attacker: native code in it can forge its answers, but
they are data here (see `wire`), and nothing that a gate expects is ever sent to it.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..hwmodels import Machine, load_machine
from . import wire
from .base import RunResult

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from .base import KernelText, Launch
    from .emulator.field_domain import FieldRun

    Answer = tuple[dict[str, Any], list[memoryview]]

START_LIMIT: Final = 60.0
COMPILE_LIMIT: Final = 30.0
"""Seconds that a compiler may take at least: that it is slow on a busy machine says nothing about the kernel."""
STDERR_KEPT: Final = 1 << 16
# room for an answer's JSON: names, findings, seconds, a compiler's log
_ANSWER_ROOM: Final = 16 << 20
_SECRET: Final = frozenset("KEY KEYS APIKEY TOKEN TOKENS SECRET SECRETS PASSWORD PASSWD CREDENTIAL CREDENTIALS".split())
_NO_MEMORY: Final = ("out of memory", "bad_alloc", "cannot allocate memory")


@dataclass(frozen=True, slots=True)
class Compiled:
    """The kernel was compiled, in so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Done:
    """The run came to its end."""

    result: RunResult


@dataclass(frozen=True, slots=True)
class CompileFailed:
    """The compiler rejected the kernel: its first error, and its whole log."""

    message: str
    log: str = ""

    def __str__(self) -> str:
        return f"does not compile: {self.message}"


@dataclass(frozen=True, slots=True)
class Crashed:
    """The child died, or its device failed: by which signal, exit status or error; the last line on standard error."""

    reason: str
    stderr: str = ""

    def __str__(self) -> str:
        return f"crashed: {self.reason}" + (f": {self.stderr}" if self.stderr else "")


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The child gave no answer within the limit, seconds, and was killed."""

    seconds: float

    def __str__(self) -> str:
        return f"did not end within {self.seconds:g} s"


@dataclass(frozen=True, slots=True)
class OutOfMemory:
    """The child, or the device, had no memory left."""

    reason: str

    def __str__(self) -> str:
        return f"out of memory: {self.reason}"


@dataclass(frozen=True, slots=True)
class Failed:
    """A GpuportError in the child: its message and the name of its class (StepLimit, ArgumentError, NoDevice, ...)."""

    message: str
    error: str

    def __str__(self) -> str:
        return self.message


Outcome = Compiled | Done | CompileFailed | Crashed | TimedOut | OutOfMemory | Failed


def _harmless(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what names a key, a token or a password: the child may run what a model has written."""
    return {name: value for name, value in environment.items() if _SECRET.isdisjoint(name.upper().split("_"))}


class WorkerBug(RuntimeError):
    """An error of gpuport's own in the child, with the child's traceback."""


class Isolated:
    """A kernel in a child process of its own, to be used in a `with` block by one thread at a time.

    The child starts with the first call and serves all later ones; after a crash or a timeout the next call starts
    another and compiles again. A compilation that did not succeed is final. `time_limit` is in seconds, for each run;
    `compile_limit` for compiling, COMPILE_LIMIT or more if None. `memory_limit` is in bytes of writable memory
    (RLIMIT_DATA, so Linux only; thread stacks count), None for none; do not set it for GPUs, whose drivers map much.
    POSIX only.
    """

    def __init__(
        self,
        backend: str,
        text: KernelText,
        machine: Machine | str | Path,
        *,
        time_limit: float,
        compile_limit: float | None = None,
        memory_limit: int | None = None,
        command: Sequence[str] | None = None,
    ) -> None:
        self.backend, self.text = backend, text
        self.machine = machine if isinstance(machine, Machine) else load_machine(machine)
        self.time_limit, self.memory_limit = time_limit, memory_limit
        self.compile_limit = max(time_limit, COMPILE_LIMIT) if compile_limit is None else compile_limit
        self._command = tuple(command or (sys.executable, "-P", "-m", f"{__package__}.worker"))
        self._child: _Child | None = None
        self._compiled: Outcome | None = None

    def __enter__(self) -> Isolated:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill the child, if there is one."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def compile(self) -> Outcome:
        """Compile the kernel unless this was done already: Compiled, or why not."""
        if self._compiled is not None and (self._child is not None or not isinstance(self._compiled, Compiled)):
            return self._compiled
        request = {"do": "compile", "backend": self.backend, "text": self.text, "machine": self.machine}
        got = self._ask(request, self.compile_limit, _ANSWER_ROOM)
        if isinstance(got, tuple):
            got = self._outcome(got[0])
        self._compiled = got
        return got

    def run(
        self,
        launch: Launch,
        args: Mapping[str, Any],
        guard_bytes: int = 0,
        repeats: int = 0,
        time_limit: float | None = None,
        order_seed: int | None = None,
    ) -> Outcome:
        """Run the kernel, compiling it first where needed; see Executable.run. Done, or what happened instead."""
        buffers = {p.name for p in self.text.params if p.kind == "buffer"}
        sent = {n: a for n, a in args.items() if n in buffers and isinstance(a, np.ndarray)}
        options = {"guard_bytes": guard_bytes, "repeats": repeats, "order_seed": order_seed}
        request = {"do": "run", "launch": launch, "args": dict(args), "options": options}
        return self._run(request, sent, time_limit or self.time_limit, 64 * repeats)

    def run_in_field(
        self, launch: Launch, args: Mapping[str, Any], given: FieldRun, floats: Collection[str]
    ) -> Outcome:
        """Run an emulated kernel in the finite field; see EmulatedKernel.run_in_field. `floats`: its float buffers."""
        expected = {n: np.empty(args[n].size, np.uint64) for n in floats}
        request = {"do": "field", "launch": launch, "args": dict(args), "given": given}
        return self._run(request, expected, self.time_limit)

    def _run(self, request: dict[str, Any], expected: Mapping[str, Any], limit: float, more: int = 0) -> Outcome:
        """Send a request to run and read its result, whose buffers must be like `expected`."""
        ready = self.compile()
        if not isinstance(ready, Compiled):
            return ready
        room = sum(a.nbytes for a in expected.values()) + more + _ANSWER_ROOM
        got = self._ask(request, limit, room)
        if not isinstance(got, tuple):
            return got
        fields, blobs = got
        if fields["kind"] != "done":
            return self._outcome(fields)
        try:
            return Done(wire.read_result(fields, blobs, expected))
        except wire.WireError as error:
            self.close()
            return Crashed(f"its answer cannot be read ({error})")

    def _ask(self, request: dict[str, Any], limit: float, room: int) -> Answer | Outcome:
        if self._child is None:
            self._child = _Child(self._command, self.memory_limit)
            started = self._child.exchange([], START_LIMIT, _ANSWER_ROOM)
            if not isinstance(started, tuple):
                self.close()
                return started
        got = self._child.exchange(wire.frame(pickle.dumps(request, protocol=5)), limit, room)
        if not isinstance(got, tuple):
            self.close()
        return got

    def _outcome(self, fields: Mapping[str, Any]) -> Outcome:
        message = str(fields.get("message", ""))
        match fields["kind"]:
            case "compiled":
                return Compiled(float(fields.get("seconds", 0.0)))
            case "compile_failed":
                return CompileFailed(message, str(fields.get("log", "")))
            case "device_failed":
                # a device context is broken after an error: the next run needs a new one
                self.close()
                return Crashed(message)
            case "out_of_memory":
                self.close()
                return OutOfMemory(message or "an allocation failed")
            case "failed":
                return Failed(message, str(fields.get("error", "")))
            case "bug":
                raise WorkerBug(f"in the worker:\n{message}")
            case kind:
                self.close()
                return Crashed(f"its answer cannot be read (kind {kind!r})")


class _Child:
    """A worker process, its pipes, and the end of its standard error."""

    def __init__(self, command: Sequence[str], memory_limit: int | None) -> None:
        self.memory_limit = memory_limit
        self.stderr = bytearray()
        requests, self.requests = os.pipe()
        self.answers, answers = os.pipe()
        environment = {**_harmless(os.environ), "PYTHONPATH": os.pathsep.join(p or os.getcwd() for p in sys.path)}
        arguments = [str(n) for n in (requests, answers, memory_limit or 0)]
        try:
            self.process = subprocess.Popen(
                [*command, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(requests, answers),
                start_new_session=True,
                env=environment,
            )
        except OSError:
            os.close(self.requests)
            os.close(self.answers)
            raise
        finally:
            os.close(requests)
            os.close(answers)
        assert self.process.stderr is not None
        self.errors = self.process.stderr
        for fd in (self.requests, self.answers, self.errors.fileno()):
            os.set_blocking(fd, False)

    def exchange(self, parts: Sequence[bytes | memoryview], limit: float, room: int) -> Answer | Outcome:
        """Send a request and read the answer, of at most `room` bytes, draining standard error meanwhile."""
        deadline = time.monotonic() + limit
        left = [memoryview(p) for p in parts]
        got = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(self.answers, selectors.EVENT_READ)
            selector.register(self.errors, selectors.EVENT_READ)
            if left:
                selector.register(self.requests, selectors.EVENT_WRITE)
            while True:
                wait = deadline - time.monotonic()
                if wait <= 0:
                    return TimedOut(limit)
                for key, _ in selector.select(wait):
                    if key.fd == self.requests:
                        if not self._write(left):
                            selector.unregister(self.requests)
                    elif key.fd == self.answers:
                        data = os.read(self.answers, 1 << 20)
                        if not data:
                            return self._death(deadline)
                        got += data
                    elif not self._drain():
                        selector.unregister(self.errors)
                if len(got) >= wire.LENGTH_BYTES:
                    length = int.from_bytes(got[: wire.LENGTH_BYTES], "little")
                    if length > room:
                        return Crashed("its answer cannot be read (too long)")
                    if len(got) >= length + wire.LENGTH_BYTES:
                        return self._answer(got, length)

    @staticmethod
    def _answer(got: bytearray, length: int) -> Answer | Outcome:
        if len(got) != length + wire.LENGTH_BYTES:
            return Crashed("its answer cannot be read (more than one)")
        try:
            return wire.read_answer(memoryview(got)[wire.LENGTH_BYTES :])
        except wire.WireError as error:
            return Crashed(f"its answer cannot be read ({error})")

    def _write(self, left: list[memoryview]) -> bool:
        """Write what the pipe takes; False when nothing is left or the child is gone."""
        while left:
            try:
                done = os.write(self.requests, left[0])
            except BlockingIOError:
                return True
            except BrokenPipeError:
                return False
            left[0] = left[0][done:]
            if not left[0]:
                left.pop(0)
        return False

    def _drain(self) -> bool:
        """Keep the end of standard error; False at its end."""
        with contextlib.suppress(BlockingIOError):
            data = os.read(self.errors.fileno(), 1 << 16)
            self.stderr = (self.stderr + data)[-STDERR_KEPT:]
            return bool(data)
        return True

    def _last_line(self) -> str:
        lines = [x.strip() for x in self.stderr.decode(errors="replace").splitlines() if x.strip()]
        return lines[-1][:400] if lines else ""

    def _death(self, deadline: float) -> Outcome:
        """The outcome of a child that closed its pipe without an answer."""
        while (status := self._reap(os.WNOHANG)) is None:
            if time.monotonic() > deadline:
                return Crashed("it closed its pipe and went on")
            time.sleep(0.005)
        code, peak = status
        while self._drain() and self._more():
            pass
        line = self._last_line()
        name = f"exit status {code}" if code >= 0 else _signal_name(-code)
        full = self.memory_limit is not None and peak > 0.8 * self.memory_limit
        if (
            full
            or code == -signal.SIGKILL
            or any(w in line.lower() for w in ("out of memory", "bad_alloc", "cannot allocate"))
        ):
            return OutOfMemory(
                f"the child died ({name}) with {peak >> 20} MiB resident" + (f": {line}" if line else "")
            )
        return Crashed(name, line)

    def _more(self) -> bool:
        with selectors.DefaultSelector() as selector:
            selector.register(self.errors, selectors.EVENT_READ)
            return bool(selector.select(0))

    def _reap(self, options: int) -> tuple[int, int] | None:
        """Return the exit code and the peak of resident bytes of a child that ended; None if it runs."""
        pid, status, usage = os.wait4(self.process.pid, options)
        if pid == 0:
            return None
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self._kill_group()
        unit = 1 if sys.platform == "darwin" else 1024  # getrusage(2): bytes on macOS, KiB on Linux
        return self.process.returncode, usage.ru_maxrss * unit

    def kill(self) -> None:
        """Kill the child and all that it started, and close the pipes."""
        if self.process.returncode is None:
            self._kill_group()
            self._reap(0)
        os.close(self.requests)
        os.close(self.answers)
        self.errors.close()

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)


def _signal_name(number: int) -> str:
    try:
        return f"{signal.Signals(number).name} ({signal.strsignal(number)})"
    except ValueError:
        return f"signal {number}"
