"""The supervisor: plans strategies, runs workers side by side, feeds failures back, and knows when to stop."""

from __future__ import annotations

import hashlib
import json
import threading
import traceback
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from ..hwmodels.errors import GpuportError
from ..ir.diagnostics import Refusal
from ..porting.bundle import CannotBundle, fingerprint, spec_data
from ..porting.candidate import Candidate, SourceProgram
from ..porting.report.schema import IdeaRecord, SwarmRecord
from .answers import Brief, KernelAnswer, Plan, one_line
from .budget import Spend
from .client import Client
from .errors import ModelError, NoAnswer, OutOfBudget
from .interface import bare, parts
from .population import Failed, Member, Population
from .prompts import Before, explain_prompt, joined, plan_prompt, sage_prompt, situation_of, worker_prompt
from .swarm import author
from .trace import Trace, TraceError
from .verifier import Trial, Verifier

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..hwmodels import Machine
    from .swarm import Swarm

DEFAULT_STRATEGIES: Final = (
    "keep the source's algorithm; make every access coalesced and as wide as the device likes",
    "fewer barriers: let a subgroup or a thread own what the source shares",
    "more work per thread, with the loop unrolled by hand",
    "another tiling of the same algorithm that suits this device's shared memory and registers",
)

KEPT: Final = 3
"""Candidates that passed and go before the last judge."""


@dataclass(frozen=True)
class _Attempt:
    """A model's answer for one candidate, with what it was asked for."""

    number: int
    strategy: str
    parent: int | None
    idea: str
    source: str
    header: str


class Supervisor:
    """One swarm on one destination."""

    def __init__(self, swarm: Swarm, source: SourceProgram, src: Machine, dst: Machine) -> None:
        self.swarm, self.source, self.dst = swarm, source, dst
        self.spend = Spend(swarm.budget)
        folder = swarm.trace / f"{source.kernel.name}-{dst.id}" if swarm.trace else None
        self.client = Client(swarm.server, self.spend, folder / "answers" if folder else None) if swarm.server else None
        redact = self.client.redact if self.client else str
        self.trace = Trace(folder / "trace.jsonl" if folder else None, redact, resume=swarm.resume)
        self.population = Population()
        self.stopped = ""
        self.fatal: ModelError | None = None
        self.situation = situation_of(source, src, dst, swarm.advice, swarm.language)
        self.verifier = Verifier(source, src, dst, self.situation.language, swarm.seen_sizes, swarm.time_limit)
        self.identity = self._identity(src)
        self._lock = threading.Lock()
        self._asked: dict[str, dict[str, Any]] = {}  # what sages and supervisor said in the run that is resumed
        self._answers: dict[int, _Attempt] = {}  # what its workers got and nobody judged
        self._done: dict[int, dict[str, Any]] = {}  # its candidates
        self._left: deque[int] = deque()  # numbers that it took and did not finish

    def go(self) -> list[Candidate]:
        """Run until a limit; return the candidates that passed, the fastest first. Raises ModelError, TraceError."""
        self._restore()
        self.trace.add(
            "start", identity=self.identity, kernel=self.source.kernel.name, dst=self.dst.id,
            model=self.swarm.server.model if self.swarm.server else "", resumed=len(self._done),
        )  # fmt: skip
        first = self._members()
        if self.client and self.swarm.budget.max_candidates and not self._over():
            self._take_up(first)
            ok = any(i.number == 0 and i.verdict == "passed" for i in self.population.ideas)
            self.situation = replace(self.situation, translated_ok=ok)
            try:
                self._ask_all()
            except KeyboardInterrupt:  # the last judge still has its say; to interrupt him ends everything
                self._stop("interrupted")
        if self.fatal is not None:
            self.trace.add("failed", reason=str(self.fatal))
            if not any(s.output_tokens for s in self.swarm.spent.values()):
                raise self.fatal  # nothing is lost: this server never said a word
            self._stop(str(self.fatal))
        self._stop("the members' candidates are tried")
        self.trace.add("end", reason=self.stopped, **self.spend.as_dict())
        self._tell(f"ends: {self.stopped}")
        return [m.candidate for m in self.population.members if m.candidate.author != "translator"][:KEPT]

    def record(self) -> SwarmRecord:
        """Return what this run did, for the report."""
        s = self.spend
        return SwarmRecord(
            model=self.swarm.server.model if self.swarm.server else "", workers=max(1, self.swarm.workers),
            stopped=self.stopped, candidates=len(self.population.ideas), requests=s.requests, cached=s.cached,
            input_tokens=s.input_tokens, output_tokens=s.output_tokens, cost=s.cost, seconds=s.seconds,
        )  # fmt: skip

    def _identity(self, src: Machine) -> str:
        kernel = self.source.kernel
        try:
            spec: Any = spec_data(kernel)
        except CannotBundle:
            spec = [kernel.model.entry, kernel.size_sets()]
        content = [self.situation.text, spec, fingerprint(src), fingerprint(self.dst), self.situation.language]
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()

    # --- the members without a model

    def _members(self) -> int:
        """Try the candidates of the synthesizers; they have the first numbers, from 0. Returns the next number."""
        number = 0
        for member in self.swarm.members:
            try:
                offered = member(self.source, self.situation.src, self.dst)
            except GpuportError as error:
                if not isinstance(error, Refusal):
                    self.trace.add("no candidate", reason=str(error))
                continue
            if translated := self.situation.translated:
                offered = [translated if c.author == "translator" else c for c in offered]
            for candidate in offered:
                if self._over():
                    return number
                if number > 0 and number not in self._done:
                    self.spend.candidates = max(self.spend.candidates, number)
                self._member(number, candidate)
                number += 1
        return max(1, number)

    def _member(self, number: int, candidate: Candidate) -> None:
        strategy = "the deterministic translation" if candidate.author == "translator" else candidate.author
        attempt = _Attempt(number, strategy, None, "", candidate.text.source, candidate.text.header)
        self.population.is_new(candidate.text)
        if number in self._done and self._done[number]["record"]["author"] == candidate.author:
            done = self._done.pop(number)
            self._add(IdeaRecord.model_validate(done["record"]), candidate, done)
            return
        try:
            trial = self.verifier.tried(candidate, self.spend, scanned=False)
        except OutOfBudget as error:
            self._stop(str(error))
            return
        self._judged(attempt, candidate, trial, candidate.author)

    # --- what models are asked

    def _ask_all(self) -> None:
        self.situation = replace(self.situation, briefs=self._briefs())
        strategies = self._strategies()
        count = max(1, self.swarm.workers)
        with ThreadPoolExecutor(max_workers=count) as pool:
            workers = [pool.submit(self._worker, strategies) for _ in range(count)]
            try:
                for worker in workers:
                    worker.result()
            except KeyboardInterrupt:
                self._stop("interrupted")
                self.spend.cancelled.set()
                raise

    def _briefs(self) -> dict[str, tuple[str, ...]]:
        briefs: dict[str, tuple[str, ...]] = {}
        for machine, role in ((self.situation.src, "source"), (self.dst, "target")):
            answer = self._ask(sage_prompt(self.situation, machine, role), Brief, f"{role} sage")
            briefs[role] = tuple(one_line(p, 400) for p in answer.points[:12]) if answer else ()
        return briefs

    def _strategies(self) -> list[str]:
        answer = self._ask(plan_prompt(self.situation, max(4, self.swarm.workers)), Plan, "supervisor")
        lines = [one_line(x, 300) for x in answer.strategies] if answer else []
        return [x for x in lines if x] or list(DEFAULT_STRATEGIES)

    def _ask(self, prompt: Any, kind: Any, who: str) -> Any:
        """Ask once in the life of a run; None where there is no answer."""
        assert self.client is not None
        if who in self._asked:
            said = self._asked[who].get("answer")
            with self._reading("asked"):
                return kind.model_validate(said) if said is not None else None
        answer, why = None, ""
        try:
            answer = self.client.ask(prompt, kind, salt=who)
        except NoAnswer as error:
            why = str(error)
        except OutOfBudget as error:
            self._stop(str(error))
            return None
        except ModelError as error:
            self.fatal = error
            return None
        said = answer.model_dump() if answer else None
        self._tell(f"the {who} {f'gives no answer: {why}' if why else 'has answered'}; {self.spend.seconds:.0f} s")
        self.trace.add("asked", who=who, answer=said, reason=why, spent=self.spend.as_dict())
        return answer

    def _worker(self, strategies: list[str]) -> None:
        while not self._over():
            try:
                number = self._next()
                attempt = self._answers.pop(number, None) or self._answer(number, strategies)
                if attempt is not None:
                    self._try(attempt)
            except OutOfBudget as error:
                self._stop(str(error))
            except ModelError as error:
                self.fatal = error

    def _next(self) -> int:
        with self._lock:
            if self._left:
                return self._left.popleft()
        return self.spend.take_candidate()

    def _answer(self, number: int, strategies: list[str]) -> _Attempt | None:
        """Ask for a candidate; None where there is no answer, which is recorded."""
        assert self.client is not None
        strategy = strategies[(number - 1) % len(strategies)]
        mend, parent = self.population.to_mend(strategy), self.population.parent(number)
        shown = mend.number if mend else parent.number if parent else None
        best = self.population.best
        shown = best.number if shown is None and best else shown
        before = Before(
            best=joined(parent.candidate.text) if parent else "", notes=parent.notes if parent else (),
            failed=joined(mend.text) if mend else "", finding=mend.finding if mend else "",
            failures=self.population.failures,
        )  # fmt: skip
        try:
            answer = self.client.ask(worker_prompt(self.situation, strategy, before), KernelAnswer, salt=str(number))
        except NoAnswer as error:
            self._judged(_Attempt(number, strategy, shown, "", "", ""), None, Trial("no answer", str(error)))
            return None
        attempt = _Attempt(
            number, strategy, shown, one_line(answer.idea, 400), plain_ends(answer.source), plain_ends(answer.header)
        )
        self.trace.add("answer", **attempt.__dict__, spent=self.spend.as_dict())
        return attempt

    # --- what becomes of an answer

    def _try(self, attempt: _Attempt) -> None:
        candidate = self._candidate(attempt)
        if not self.population.is_new(candidate.text):
            self._judged(attempt, candidate, Trial("repeated", "the same text as an earlier candidate"))
            return
        try:
            trial = self.verifier.tried(candidate, self.spend)
        except (OutOfBudget, ModelError):
            raise
        except Exception as error:  # a bug of ours that one text brings out must not cost the others their work
            self.trace.add("bug", number=attempt.number, traceback=traceback.format_exc())
            trial = Trial("failed", f"gpuport failed on it: {type(error).__name__}: {one_line(str(error), 300)}")
        self._judged(attempt, candidate, trial)

    def _candidate(self, attempt: _Attempt) -> Candidate:
        if translated := self.situation.translated:
            whole, before = parts(translated.text.language, attempt.source, attempt.header)
            text = replace(translated.text, source=whole, header=before)
            return Candidate(text, translated.constants, author=author(attempt.number))
        return bare(
            self.source, self.dst, attempt.source, attempt.header, author=author(attempt.number),
            language=self.swarm.language,
        )  # fmt: skip

    def _judged(self, attempt: _Attempt, candidate: Candidate | None, trial: Trial, by: str = "model") -> None:
        """Record what became of a candidate, on disk first."""
        words = ""
        if by == "model" and trial.gate and self.swarm.explain and candidate is not None and self.client:
            prompt = explain_prompt(trial.gate, trial.reason, joined(candidate.text))
            answer = self._ask(prompt, Brief, f"explain {attempt.number}")
            words = one_line(" ".join(answer.points), 600) if answer else ""
        record = IdeaRecord(
            number=attempt.number, author=by, strategy=attempt.strategy, idea=attempt.idea, verdict=trial.verdict,
            reason=one_line(trial.reason, 1500), explanation=words, parent=attempt.parent, seconds=trial.seconds,
        )  # fmt: skip
        found = {"share": trial.share, "traffic": trial.traffic, "notes": trial.notes}
        self.trace.add("candidate", record=record.model_dump(), **found, spent=self.spend.as_dict())
        self._add(record, candidate, found)
        best, s, b = self.population.best, self.spend, self.spend.budget
        counts = ", ".join(f"{n} {v}" for v, n in sorted(self.population.verdicts.items()))
        time = f" ({best.seconds:.3g} s)" if best and best.seconds is not None else ""
        cost = f", cost {s.cost:.4g}" if b.input_price or b.output_price else ""
        self._tell(
            f"candidate {attempt.number} of {b.max_candidates} {trial.verdict}; {counts}; "
            f"best: {f'candidate {best.number}{time}' if best else 'none passes yet'}; "
            f"{s.tokens} tokens{cost}, {s.seconds:.0f} s"
        )

    def _add(self, record: IdeaRecord, candidate: Candidate | None, found: dict[str, Any]) -> None:
        member = mend = None
        if record.verdict == "passed" and candidate is not None:
            member = Member(candidate, record.number, record.seconds, found.get("traffic"), tuple(found["notes"]))
            if (share := found.get("share")) is not None and self.swarm.target <= share <= 1.02:
                # beyond the roofline something is wrong with the roofline, and nothing is known
                self._stop(f"candidate {record.number} reaches {share:.0%} of the roofline")
        elif candidate is not None and record.verdict in ("REFUTED", "REFUSED"):
            mend = Failed(record.number, candidate.text, record.reason)
        self.population.add(record, member, mend)

    # --- when to stop

    def _over(self) -> bool:
        if self.fatal or self.stopped:
            return True
        if self.trace.broken:  # what is not on disk would be asked and paid for again
            self._stop(self.trace.broken)
        p = self.population
        if p.idle >= self.swarm.patience:
            self._stop(f"no progress in {p.idle} candidates")
        if p.silent >= 2 * max(2, self.swarm.workers):
            last = next((i.reason for i in reversed(p.ideas) if i.verdict == "no answer"), "")
            self._stop(f"the server gave no answer {p.silent} times in a row, the last time: {last}")
        return bool(self.stopped)

    def _stop(self, reason: str) -> None:
        with self._lock:
            self.stopped = self.stopped or reason

    def _tell(self, line: str) -> None:
        if self.swarm.progress:
            self.swarm.progress(f"{self.dst.id}: {line}")

    # --- going on after a kill

    def _restore(self) -> None:
        """Read what an earlier run was told and found; none of it is asked or judged again."""
        spent: dict[str, float] = {}
        answers: dict[int, _Attempt] = {}
        keys = _Attempt.__dataclass_fields__
        for event in self.trace.events():
            spent = event.get("spent", spent)
            with self._reading(event["event"]):
                match event["event"]:
                    case "start" if event.get("identity") != self.identity:
                        raise TraceError(
                            f"{self.trace.path}: belongs to another kernel, spec or machine; name another folder"
                        )
                    case "asked":
                        self._asked[event["who"]] = event
                    case "answer":
                        answers[int(event["number"])] = _Attempt(**{k: event[k] for k in keys})
                    case "candidate":
                        number = IdeaRecord.model_validate(event["record"]).number
                        self._done[number] = {**event, "attempt": answers.pop(number, None)}
                    case _:
                        pass
        self._answers = answers
        with self._reading("spent"):
            self.spend.restore(max([0, *self._done, *answers]), spent)

    @contextmanager
    def _reading(self, what: object) -> Generator[None]:
        """Turn what a garbled event raises into a TraceError."""
        try:
            yield
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            why = one_line(str(error), 200)
            raise TraceError(f"{self.trace.path}: an event {what!r} cannot be read: {why}") from None

    def _take_up(self, first: int) -> None:
        """Put an earlier run's candidates, from number `first`, back in their places."""
        done, self._done = self._done, {}
        for number in sorted(done):
            attempt = done[number].pop("attempt", None)
            candidate = self._candidate(attempt) if attempt is not None else None
            if candidate is not None:
                self.population.is_new(candidate.text)
            self._add(IdeaRecord.model_validate(done[number]["record"]), candidate, done[number])
        self._left = deque(n for n in range(first, self.spend.candidates + 1) if n not in done)


def plain_ends(text: str) -> str:
    """A text with the line ends that everything here counts by."""
    return text.replace("\r\n", "\n")
