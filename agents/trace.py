"""The trace of a run: one JSON object a line, appended as things happen, enough to go on after a kill."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..hwmodels.errors import GpuportError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class TraceError(GpuportError):
    """A trace cannot be read, or belongs to another run."""


class Trace:
    """Appends events to a file; `redact` is applied to every line before it is written."""

    def __init__(self, path: Path | None, redact: Callable[[str], str] = str) -> None:
        self.path, self._redact = path, redact
        self._lock = threading.Lock()
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)

    def add(self, event: str, **fields: Any) -> None:
        """Append an event; it is on disk when this returns."""
        if self.path is None:
            return
        line = self._redact(json.dumps({"event": event, "time": round(time.time(), 3), **fields}, default=str))
        with self._lock, self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield the events so far; a last line that was cut off by a kill is left out. Raises TraceError."""
        if self.path is None or not self.path.exists():
            return
        lines = self.path.read_text(encoding="utf-8").split("\n")
        for number, line in enumerate(lines, 1):
            if not line:
                continue
            try:
                event = json.loads(line)
            except ValueError:
                if number >= len(lines) - 1:
                    return
                raise TraceError(f"{self.path}:{number}: expected a JSON object") from None
            if not isinstance(event, dict) or "event" not in event:
                raise TraceError(f"{self.path}:{number}: expected an object with the key 'event'")
            yield event
