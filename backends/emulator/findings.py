"""Collects findings of a run: one per (kind, place, buffer), a limited number per kind, and how often each was seen."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...ir.nodes import Loc
from ..base import Finding

CAP_PER_KIND = 20


@dataclass(slots=True)
class Collector:
    """Findings so far. `cap` limits how many are kept per kind; the rest is counted in one closing finding."""

    cap: int = CAP_PER_KIND
    _kept: dict[tuple[str, str, str], Finding] = field(default_factory=dict)
    _kinds: dict[str, int] = field(default_factory=dict)
    _more: dict[str, set[tuple[str, str]]] = field(default_factory=dict)

    def wants(self, kind: str, loc: Loc | None, subject: str = "") -> bool:
        """Tell whether a finding with this key would be new and is worth building a message for."""
        key = (kind, _place(loc), subject)
        if key in self._kept:
            return False
        if self._kinds.get(kind, 0) >= self.cap:
            self._more.setdefault(kind, set()).add(key[1:])
            return False
        return True

    def add(
        self, kind: str, message: str, loc: Loc | None, subject: str = "", *, buffer: str = "",
        element: int | None = None, threads: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        """Keep a finding unless one of the same kind, place and subject is there already."""
        if self.wants(kind, loc, subject):
            self._kept[kind, _place(loc), subject] = Finding(kind, message, loc, buffer, element, threads)
            self._kinds[kind] = self._kinds.get(kind, 0) + 1

    def result(self) -> list[Finding]:
        """The findings in the order of their discovery."""
        out = list(self._kept.values())
        out += [
            Finding(kind, f"{len(keys)} more places with findings of this kind were not kept")
            for kind, keys in self._more.items()
        ]
        return out


def _place(loc: Loc | None) -> str:
    return f"{loc.file}:{loc.line}:{loc.col}" if loc else ""
