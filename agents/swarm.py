"""The swarm: synthesizers and models that offer kernels for a destination, as one synthesizer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..porting.candidate import Candidate, SourceProgram, Synthesizer
from ..porting.report.schema import IdeaRecord, PortReport, SwarmRecord
from ..porting.translate import translate
from .budget import Budget, Spend
from .client import Server

if TYPE_CHECKING:
    from ..hwmodels import Machine

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Swarm:
    """How to run the swarm.

    `server`: the language model; None lets the members run alone. `workers`: how many ask it side by side. `members`:
    the synthesizers without a model, whose candidates are tried first. `seen_sizes`: how many of the spec's sizes its
    candidates are tried at, the smallest; the port is judged at all of them and at others, with a new seed. `target`:
    the share of the roofline, measured, at which a right candidate is good enough. `patience`: candidates without
    progress before it stops. `trace`: a folder for JSONL traces and cached answers; with `resume` a run goes on from
    there. `explain`: ask the model why a candidate was refuted; its words stand beside the verdict. `language`: what is
    written where a destination runs several.
    """

    server: Server | None = None
    workers: int = 4
    budget: Budget = field(default_factory=Budget)
    advice: str = ""
    trace: Path | None = None
    resume: bool = False
    members: tuple[Synthesizer, ...] = (translate,)
    seen_sizes: int = 3
    target: float = 0.9
    patience: int = 12
    time_limit: float = 20.0
    explain: bool = False
    language: str | None = None
    progress: Progress | None = None
    ideas: dict[str, list[IdeaRecord]] = field(default_factory=dict[str, list[IdeaRecord]])
    spent: dict[str, Spend] = field(default_factory=dict[str, Spend])
    records: dict[str, SwarmRecord] = field(default_factory=dict[str, SwarmRecord])

    def __call__(self, source: SourceProgram, src: Machine, dst: Machine) -> list[Candidate]:
        """Return candidates for a destination that passed, the fastest first, without the translator's.

        Raises ModelError where the server cannot be used at all, and TraceError.
        """
        from .supervisor import Supervisor

        run = Supervisor(self, source, src, dst)
        self.ideas[dst.id] = run.population.ideas
        self.spent[dst.id] = run.spend
        candidates = run.go()
        self.records[dst.id] = run.record()
        return candidates


def author(number: int) -> str:
    """Return how a report names the author of a model's candidate."""
    return f"model, candidate {number}"


def with_ideas(report: PortReport, swarm: Swarm | None) -> PortReport:
    """Return the report with the tree of ideas for its destination, the last judge's word on those that it saw."""
    if swarm is None or report.dst.id not in swarm.ideas:
        return report
    final = {r.author: (r.verdict, r.reason) for r in report.rivals} or {report.author: (report.verdict, report.reason)}
    ideas: list[IdeaRecord] = []
    for idea in sorted(swarm.ideas[report.dst.id], key=lambda i: i.number):
        verdict, reason = final.get(author(idea.number) if idea.author == "model" else idea.author, ("", ""))
        ideas.append(idea.model_copy(update={"final": verdict, "final_reason": reason}))
    return report.model_copy(update={"ideas": tuple(ideas), "swarm": swarm.records.get(report.dst.id)})
