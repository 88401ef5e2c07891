"""Records of what a port does differently from its source: what, why, and from which facts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..hwmodels import Machine
    from ..ir.nodes import Loc


@dataclass(frozen=True, slots=True)
class CitedFact:
    """A fact of a machine model that a decision rests on: the machine's id, the fact's path, and value with source."""

    machine: str
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Decision:
    """One choice. `facts` are those that were asked for it and nothing else; `loc` is the line it concerns, if one."""

    what: str
    why: str
    facts: tuple[CitedFact, ...] = ()
    loc: Loc | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the decision as plain values, for JSON."""
        return {
            "what": self.what,
            "why": self.why,
            "facts": [{"machine": f.machine, "path": f.path, "text": f.text} for f in self.facts],
            "line": self.loc.line if self.loc is not None else None,
        }

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


@dataclass(slots=True)
class Questions:
    """Facts asked of machines for one decision: what is asked is recorded, known or not."""

    facts: list[CitedFact] = field(default_factory=list[CitedFact])
    missing: list[str] = field(default_factory=list[str])

    def ask(self, machine: Machine, path: str) -> Any:
        """Return a fact's value in its canonical unit; None where the model does not know it, which is recorded."""
        if not machine.known(path):
            self.missing.append(f"{machine.id}: {path}")
            return None
        fact = machine.fact(path)
        cited = CitedFact(machine.id, path, fact.cite())
        if cited not in self.facts:
            self.facts.append(cited)
        return fact.value

    def decide(self, what: str, why: str, loc: Loc | None = None) -> Decision:
        """Return a decision that rests on all facts asked so far."""
        return Decision(what, why, tuple(self.facts), loc)

    def skipped(self, check: str) -> Decision:
        """Return the record that a check was left out because a fact is unknown."""
        return Decision(
            f"not checked: {check}", f"the model does not know {', '.join(self.missing)}", tuple(self.facts)
        )

    def sources(self) -> str:
        """Return the facts as text for a diagnostic's end."""
        return "; ".join(f.text for f in self.facts)
