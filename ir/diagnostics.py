"""Numbered diagnostics: what is refused or warned of, where and why.

Each number has a page in docs/diagnostics. A refusal carries every diagnostic found, not only the first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from ..hwmodels.errors import GpuportError
from .nodes import Loc


class Severity(Enum):
    """An error refuses the port; a warning says what differs; a note explains a choice."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


TITLES: dict[str, str] = {
    "GP1001": "the source does not compile",
    "GP1002": "the entry is not in the source",
    "GP1003": "the entry is ambiguous or its instantiation is not valid",
    "GP1101": "unsupported statement",
    "GP1102": "unsupported expression",
    "GP1103": "unsupported type",
    "GP1104": "unsupported function",
    "GP1105": "side effect inside an expression that is not always evaluated",
    "GP1106": "recursive device function",
    "GP1107": "unsupported declaration",
    "GP1108": "subgroup operation with a mask other than full",
    "GP1109": "nested too deeply",
    "GP1201": "the address space of a pointer cannot be told",
    "GP2001": "too many threads in a group for the destination",
    "GP2002": "too much shared memory for the destination",
    "GP2003": "barrier in divergent control flow",
    "GP2004": "subgroup operation in divergent control flow on a destination without subgroups",
    "GP2005": "type that the destination does not have",
    "GP2006": "function that the destination does not have",
    "GP2007": "group size is no multiple of the source's warp",
    "GP2008": "atomic that the destination does not have",
    "GP2009": "argument that the destination's runtime cannot take",
    "GP2010": "construct that the destination's language cannot express",
    "GP2011": "too many arguments for the destination",
    "GP3001": "result may differ on the destination",
    "GP3002": "names changed for the destination",
    "GP3003": "warp-synchronous code without barriers",
    "GP3004": "double precision is replaced, as was asked for",
}


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: a number of TITLES, what was seen, at which line of the source."""

    number: str
    message: str
    loc: Loc | None = None
    severity: Severity = Severity.ERROR

    def __post_init__(self) -> None:
        if self.number not in TITLES:
            raise KeyError(f"diagnostic {self.number} has no title")

    def __str__(self) -> str:
        where = f"{self.loc.file}:{self.loc.line}: " if self.loc else ""
        return f"{where}{self.severity.value} {self.number}: {self.message}"


class Refusal(GpuportError):
    """The port is refused; `diagnostics` says why, each at its line."""

    exit_code = 1

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(str(d) for d in self.diagnostics))


def refuse(number: str, message: str, loc: Loc | None = None) -> Refusal:
    """Return (to raise) a refusal with one diagnostic."""
    return Refusal([Diagnostic(number, message, loc)])
