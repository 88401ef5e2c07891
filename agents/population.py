"""What a swarm has tried: the tree of ideas, the candidates that passed, and what became of the others."""

from __future__ import annotations

import hashlib
import math
import threading
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..porting.report.schema import IdeaRecord

if TYPE_CHECKING:
    from ..backends.base import KernelText
    from ..porting.candidate import Candidate

MEMBERS: Final = 8
"""Candidates that passed and are kept as texts, the fastest."""

FAILURES: Final = 8
"""Failures that a worker is told of, the latest."""

BETTER: Final = 0.98
"""A candidate is better than another if it takes less than this share of its time, or of its memory traffic."""


@dataclass(frozen=True)
class Member:
    """A candidate that passed, with its time per launch where that was measured, and its emulated memory traffic."""

    candidate: Candidate
    number: int
    seconds: float | None = None
    traffic: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def rank(self) -> tuple[float, float, int]:
        """Orders candidates: measured time, then traffic, then age."""
        return self.seconds or math.inf, self.traffic or math.inf, self.number

    def beats(self, other: Member) -> bool:
        """Whether this one is clearly faster, or (where neither was measured) moves clearly less."""
        if self.seconds is not None and other.seconds is not None:
            return self.seconds < BETTER * other.seconds
        if self.seconds is None and other.seconds is None and self.traffic and other.traffic:
            return self.traffic < BETTER * other.traffic
        return False


@dataclass(frozen=True)
class Failed:
    """A candidate that failed with a text that may be mended."""

    number: int
    text: KernelText
    finding: str


def digest_of(text: KernelText) -> str:
    """Return what tells texts apart."""
    return hashlib.sha256(f"{text.header}\0{text.source}".encode()).hexdigest()


class Population:
    """Shared by all workers of a run; its memory does not grow with the number of candidates but for their records."""

    def __init__(self) -> None:
        self.ideas: list[IdeaRecord] = []
        self.members: list[Member] = []
        self.idle = 0
        self.silent = 0
        self.verdicts: Counter[str] = Counter()
        self._failures: deque[str] = deque(maxlen=FAILURES)
        self._to_mend: dict[str, Failed] = {}
        self._tried: set[str] = set()
        self._lock = threading.Lock()

    @property
    def best(self) -> Member | None:
        """The best candidate so far."""
        return self.members[0] if self.members else None

    @property
    def failures(self) -> tuple[str, ...]:
        """What became of the latest candidates that failed."""
        with self._lock:
            return tuple(self._failures)

    def is_new(self, text: KernelText) -> bool:
        """Whether this text was never tried; it now was."""
        with self._lock:
            digest = digest_of(text)
            new = digest not in self._tried
            self._tried.add(digest)
            return new

    def parent(self, number: int) -> Member | None:
        """Choose what candidate `number` shall improve upon: the best at every other turn, else any, in turn."""
        with self._lock:
            models = [m for m in self.members if m.candidate.author != "translator"]
            if not models:
                return None
            return models[0] if number % 2 else models[(number // 2) % len(models)]

    def to_mend(self, strategy: str) -> Failed | None:
        """Take the last failure of a strategy, which is offered once."""
        with self._lock:
            return self._to_mend.pop(strategy, None)

    def add(self, record: IdeaRecord, member: Member | None = None, mend: Failed | None = None) -> None:
        """Count a candidate that was tried."""
        with self._lock:
            self.ideas.append(record)
            self.verdicts[record.verdict] += 1
            if record.verdict == "no answer":
                self.silent += 1
            elif record.author == "model":
                self.silent = 0
            if member is None:
                self.idle += record.number > 0
                self._failures.append(f"candidate {record.number}: {record.verdict}: {record.reason[:600]}")
                if mend is not None:
                    self._to_mend[record.strategy] = mend
                return
            best = self.best
            self.idle = 0 if best is None or member.beats(best) else self.idle + (record.number > 0)
            self.members = sorted([*self.members, member], key=lambda m: m.rank)[:MEMBERS]
