"""The trace of a run: one JSON object a line, appended as things happen, enough to go on after a kill."""

from __future__ import annotations

import json
import os
import threading
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..hwmodels.errors import GpuportError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class TraceError(GpuportError):
    """A trace cannot be read, or belongs to another run."""


class Trace:
    """Appends events to a file; `redact` is applied to every line before it is written.

    Without `resume` a file that is there already is an error: no run is mixed with another. With it, a last line that a
    kill cut off is removed, so that the next one begins at the start of a line. `broken`: why no more can be written.
    """

    def __init__(self, path: Path | None, redact: Callable[[str], str] = str, *, resume: bool = False) -> None:
        self.path, self._redact = path, redact
        self._lock = threading.Lock()
        self.broken = ""
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._hold(path.with_suffix(".lock"))
            if path.exists() and path.stat().st_size:
                if not resume:
                    raise TraceError(f"{path}: holds a run already; add --resume, or name another folder")
                _mend(path)
        except OSError as error:
            raise TraceError(f"{path}: {error.strerror or error}") from None

    def _hold(self, lock: Path) -> None:
        """Keep other processes off as long as this trace lives: two runs would cut and mix each other's lines."""
        try:
            import fcntl
        except ImportError:  # no such locks on Windows
            return
        held = os.open(lock, os.O_CREAT | os.O_RDWR, 0o644)
        weakref.finalize(self, os.close, held)
        try:
            fcntl.lockf(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TraceError(f"{self.path}: another run is writing it; wait for it, or name another folder") from None
        except OSError:  # a file system without locks
            return

    def add(self, event: str, **fields: Any) -> None:
        """Append an event; a kill of this process after that does not lose it. Sets `broken` where it cannot."""
        if self.path is None:
            return
        line = self._redact(json.dumps({"event": event, "time": round(time.time(), 3), **fields}, default=str))
        with self._lock:
            if self.broken:  # nothing may stand behind half a line
                return
            try:
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(line + "\n")
            except OSError as error:  # a full disk must not cost what was found
                self.broken = f"{self.path} cannot be written: {error.strerror or error}"

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield the events so far, one at a time. Raises TraceError."""
        if self.path is None or not self.path.exists():
            return
        with self.path.open(encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                try:
                    event = json.loads(line)
                except (ValueError, RecursionError):
                    raise TraceError(f"{self.path}:{number}: expected a JSON object") from None
                if not isinstance(event, dict) or "event" not in event:
                    raise TraceError(f"{self.path}:{number}: expected an object with the key 'event'")
                yield event


def _mend(path: Path) -> None:
    """Cut off what stands behind the last end of a line."""
    with path.open("rb+") as file:
        end = file.seek(0, 2)
        while end:
            start = max(0, end - (1 << 16))
            file.seek(start)
            at = file.read(end - start).rfind(b"\n")
            if at >= 0:
                file.truncate(start + at + 1)
                return
            end = start
        file.truncate(0)
