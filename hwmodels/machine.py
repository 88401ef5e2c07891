"""`Machine`: one device's facts, looked up by path."""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .errors import MachineError, UnknownFact
from .fields import find_field, known_below, nearest_paths

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .schema import Fact, Layer, Source


@dataclass(frozen=True, slots=True)
class Machine:
    """A device (or a whole architecture, layer "arch") with every fact known about it.

    `apis` is in order of preference; `path` is the file it was read from and `lineage` the ids it extends, root
    first. Look facts up with `value`, `number`, `integer`, `flag`, `text` (UnknownFact if unknown) or `get` (default).
    """

    id: str
    name: str
    vendor: str
    arch: str
    aliases: tuple[str, ...]
    apis: tuple[str, ...]
    path: Path
    layer: Layer
    lineage: tuple[str, ...]
    match: Mapping[str, str]
    note: str
    sources: Mapping[str, Source]
    _facts: Mapping[str, Fact]

    def __str__(self) -> str:
        return self.name

    def facts(self) -> dict[str, Fact]:
        """All facts by path, unknown ones included, in the order of the files."""
        return dict(self._facts)

    def fact(self, path: str) -> Fact:
        """The fact at `path`. Raises UnknownFact, naming machine and path, when it is absent or unknown."""
        fact = self._lookup(path)
        if fact is None:
            raise UnknownFact(f"{self.id}: {path} is not stated in {self.path.name} or what it extends")
        if not fact.known:
            why = f" ({fact.note})" if fact.note else ""
            raise UnknownFact(f"{self.id}: {path} is unknown{why}; `gpuport machines probe` may measure it")
        return fact

    def known(self, path: str) -> bool:
        """Whether `path` has a value."""
        fact = self._lookup(path)
        return fact is not None and fact.known

    def value(self, path: str) -> Any:
        """The value in its canonical unit (int bytes, B/s, Hz ...; a tuple for a list). Raises UnknownFact."""
        return self.fact(path).value

    def get(self, path: str, default: Any = None) -> Any:
        """The value, or `default`: the caller's explicit policy for what is unknown. A misspelt path still raises."""
        fact = self._lookup(path)
        return fact.value if fact is not None and fact.known else default

    def number(self, path: str) -> float:
        """A numeric value; `math.inf` for a limit that does not exist."""
        value = self.value(path)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise MachineError(f"{self.id}: {path} is {value!r}, not a number")
        return value

    def integer(self, path: str) -> int:
        """A whole number. Raises MachineError where the limit does not exist; ask `number` for those."""
        value = self.number(path)
        if not math.isfinite(value):
            raise MachineError(f"{self.id}: {path} is unlimited")
        return int(value)

    def flag(self, path: str) -> bool:
        """A yes-or-no fact."""
        value = self.value(path)
        if not isinstance(value, bool):
            raise MachineError(f"{self.id}: {path} is {value!r}, not a yes or no")
        return value

    def text(self, path: str) -> str:
        """A fact that is a word."""
        value = self.value(path)
        if not isinstance(value, str):
            raise MachineError(f"{self.id}: {path} is {value!r}, not text")
        return value

    def integers(self, path: str) -> tuple[int, ...]:
        """A list of whole numbers, e.g. `limits.group_dim`."""
        value = self.value(path)
        return tuple(int(v) for v in (value if isinstance(value, tuple) else (value,)))

    def texts(self, path: str) -> tuple[str, ...]:
        """A list of words, e.g. `dtypes.storage`."""
        value = self.value(path)
        return tuple(str(v) for v in (value if isinstance(value, tuple) else (value,)))

    def under(self, prefix: str) -> dict[str, Fact]:
        """Known facts whose path starts with `prefix` and a dot."""
        return {p: f for p, f in self._facts.items() if p.startswith(prefix + ".") and f.known}

    def with_facts(self, facts: Mapping[str, Fact]) -> Machine:
        """A copy in which `facts` replace or add to the machine's own."""
        return replace(self, _facts={**self._facts, **facts})

    def _lookup(self, path: str) -> Fact | None:
        fact = self._facts.get(path)
        if fact is None and find_field(path) is None:
            hint = nearest_paths(path)
            if not hint and "." in path:
                hint = difflib.get_close_matches(path.rsplit(".", 1)[1], known_below(path.rsplit(".", 1)[0]), n=3)
            raise UnknownFact(
                f"{path!r} is not a fact of machine models" + (f"; nearest: {', '.join(hint)}" if hint else "")
            )
        return fact
