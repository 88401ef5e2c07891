"""The swarm: a supervisor with workers that ask a model for kernels, each judged by the gates. It is a synthesizer."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..backends.base import KernelText, TextParam
from ..ir.diagnostics import Refusal
from ..porting.candidate import Candidate, SourceProgram
from ..porting.port import backends_for
from ..porting.report.schema import IdeaRecord
from ..porting.timing import measure_port
from ..porting.translate import language_for, translate
from ..porting.verify.oracle import Oracle
from ..porting.verify.verify import Case, verify
from .answers import Brief, KernelAnswer, Plan
from .budget import Budget, Spend
from .client import Client, Server
from .errors import ModelError, NoAnswer, OutOfBudget
from .prompts import Situation, explain_prompt, plan_prompt, sage_prompt, worker_prompt
from .scan import scan
from .trace import Trace, TraceError

if TYPE_CHECKING:
    from ..hwmodels import Machine

DEFAULT_STRATEGIES = (
    "keep the source's algorithm; make every access coalesced and as wide as the device likes",
    "fewer barriers: let a subgroup or a thread own what the source shares",
    "more work per thread, with the loop unrolled by hand",
    "another tiling of the same algorithm that suits this device's shared memory and registers",
)

KEPT = 2  # how many verified candidates go before the final judge

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Swarm:
    """How to run the swarm.

    `server`: the language model; None lets the synthesizers without a model run alone. `seen_sizes`: how many of the
    spec's sizes its candidates are tried at; the port is judged at all of them, with a new seed. `patience`: candidates
    without progress before it stops. `trace`: a folder for JSONL traces and cached answers; with `resume` a run goes on
    from there.
    """

    server: Server | None = None
    workers: int = 4
    budget: Budget = field(default_factory=Budget)
    advice: str = ""
    trace: Path | None = None
    resume: bool = False
    seen_sizes: int = 3
    patience: int = 12
    time_limit: float = 20.0
    explain: bool = False
    progress: Progress | None = None
    ideas: dict[str, list[IdeaRecord]] = field(default_factory=dict[str, list[IdeaRecord]])
    spent: dict[str, Spend] = field(default_factory=dict[str, Spend])

    def __call__(self, source: SourceProgram, src: Machine, dst: Machine) -> list[Candidate]:
        """Return verified candidates for a destination, the fastest measured first. Raises ModelError."""
        run = _Run(self, source, src, dst)
        self.ideas[dst.id] = run.ideas
        self.spent[dst.id] = run.spend
        return run.go()


@dataclass(frozen=True)
class _Judged:
    candidate: Candidate
    number: int
    seconds: float | None  # measured per launch, where the device is here


class _Run:
    """One swarm on one destination."""

    def __init__(self, swarm: Swarm, source: SourceProgram, src: Machine, dst: Machine) -> None:
        self.swarm, self.source, self.src, self.dst = swarm, source, src, dst
        kernel = source.kernel
        self.spend = Spend(swarm.budget)
        folder = swarm.trace / f"{kernel.name}-{dst.id}" if swarm.trace else None
        cache = folder / "answers" if folder else None
        self.client = Client(swarm.server, self.spend, cache) if swarm.server else None
        redact = self.client.redact if self.client else str
        self.trace = Trace(folder / "trace.jsonl" if folder else None, redact)
        self.ideas: list[IdeaRecord] = []
        self.failures: list[str] = []
        self.best: _Judged | None = None
        self.verified: list[_Judged] = []
        self.tried: set[str] = set()
        self.idle = 0
        self.silent = 0
        self.stopped = ""
        self.lock = threading.Lock()
        self.fatal: ModelError | None = None
        text = kernel.source.read_text(encoding="utf-8", errors="replace")
        self.identity = hashlib.sha256(f"{text}\0{kernel.model.entry}\0{src.id}\0{dst.id}".encode()).hexdigest()
        self.translated, self.diagnostics = self._translated()
        self.situation = Situation(
            source, text, src, dst, self.translated, False, tuple(map(str, self.diagnostics)), swarm.advice
        )
        self.oracle = Oracle(kernel, source.program, src, secrets.randbits(64), swarm.time_limit)
        self.cases = [
            Case(s, kernel.launch(s, source.constants), kernel.launch(s, self.constants))
            for s in kernel.size_sets()[: swarm.seen_sizes]
        ]
        self.backends = backends_for(dst, self.situation.language)

    @property
    def constants(self) -> Any:
        return self.translated.constants if self.translated else self.source.constants

    def _translated(self) -> tuple[Candidate | None, list[object]]:
        try:
            [candidate, *_] = translate(self.source, self.src, self.dst)
        except Refusal as refusal:
            return None, list(refusal.diagnostics)
        return candidate, list(candidate.diagnostics)

    def go(self) -> list[Candidate]:
        """Run until a limit; return the verified candidates, the fastest first."""
        numbers = self._restore() if self.swarm.resume else 0
        self.trace.add(
            "start", identity=self.identity, kernel=self.source.kernel.name, dst=self.dst.id, resumed=numbers
        )
        if self.translated and not numbers:
            self._judge(0, "translator", "the deterministic translation", self.translated)
        if self.client:
            self.situation = replace(self.situation, translated_ok=self.best is not None, briefs=self._briefs())
            strategies = self._strategies()
            with ThreadPoolExecutor(max_workers=max(1, self.swarm.workers)) as pool:
                workers = [pool.submit(self._worker, strategies) for _ in range(max(1, self.swarm.workers))]
            for worker in workers:
                worker.result()
        if self.fatal is not None:
            self.trace.add("failed", reason=str(self.fatal))
            raise self.fatal
        self.trace.add("end", reason=self.stopped, verified=len(self.verified), tokens=self.spend.tokens)
        ranked = sorted(self.verified, key=lambda j: (j.seconds is None, j.seconds or 0.0, j.number))
        return [j.candidate for j in ranked if j.candidate.author != "translator"][:KEPT]

    def _briefs(self) -> dict[str, tuple[str, ...]]:
        briefs: dict[str, tuple[str, ...]] = {}
        for machine, role in ((self.src, "source"), (self.dst, "target")):
            answer = self._ask(sage_prompt(self.situation, machine, role), Brief, role)
            briefs[role] = tuple(answer.points) if answer else ()
        return briefs

    def _strategies(self) -> list[str]:
        answer = self._ask(plan_prompt(self.situation, max(4, self.swarm.workers)), Plan, "plan")
        return list(answer.strategies) if answer else list(DEFAULT_STRATEGIES)

    def _ask(self, prompt: Any, answer: Any, salt: str) -> Any:
        assert self.client is not None
        try:
            return self.client.ask(prompt, answer, salt=salt)
        except (NoAnswer, OutOfBudget) as error:
            self.trace.add("no answer", asked=salt, reason=str(error))
            return None
        except ModelError as error:
            self.fatal = error
            return None

    def _worker(self, strategies: list[str]) -> None:
        while not self._over():
            try:
                number = self.spend.take_candidate()
            except OutOfBudget as error:
                self._stop(str(error))
                return
            strategy = strategies[(number - 1) % len(strategies)]
            try:
                self._attempt(number, strategy)
            except OutOfBudget as error:
                self._stop(str(error))
                return
            except ModelError as error:
                self.fatal = error
                return
            except Exception as error:  # a bug of ours in one candidate must not end the others
                self._record(number, strategy, "", "failed", f"internal error: {type(error).__name__}: {error}", None)
                raise

    def _over(self) -> bool:
        if self.fatal or self.stopped:
            return True
        if self.idle >= self.swarm.patience:
            self._stop(f"no progress in {self.idle} candidates")
        if self.silent >= 2 * max(2, self.swarm.workers):
            self._stop(f"the server gave no answer {self.silent} times in a row")
        return bool(self.stopped)

    def _stop(self, reason: str) -> None:
        with self.lock:
            self.stopped = self.stopped or reason

    def _attempt(self, number: int, strategy: str) -> None:
        assert self.client is not None
        best, failures = self.best, list(self.failures)
        shown = best.candidate.text if best and best.candidate.author != "translator" else None
        prompt = worker_prompt(
            self.situation, strategy, best=f"{shown.header}\n{shown.source}" if shown else "",
            best_note=f"candidate {best.number}, passes every gate" if best else "", failures=failures,
        )  # fmt: skip
        try:
            answer = self.client.ask(prompt, KernelAnswer, salt=str(number))
        except NoAnswer as error:
            with self.lock:
                self.silent += 1
            self._record(number, strategy, "", "no answer", str(error), None)
            return
        with self.lock:
            self.silent = 0
        text = self._text(answer)
        digest = hashlib.sha256(f"{text.header}\0{text.source}".encode()).hexdigest()
        with self.lock:
            repeated = digest in self.tried
            self.tried.add(digest)
        if repeated:
            self._record(number, strategy, answer.idea, "repeated", "the same text as an earlier candidate", text)
            return
        if why := scan(text, self.source.kernel):
            self._record(number, strategy, answer.idea, "REFUSED", why, text)
            return
        candidate = Candidate(text, self.constants, (), (), author=f"model, candidate {number}")
        self._judge(number, strategy, answer.idea, candidate)

    def _text(self, answer: KernelAnswer) -> KernelText:
        if self.translated:
            return replace(self.translated.text, source=answer.source, header=answer.header)
        kernel = self.source.kernel
        params = tuple(
            TextParam(
                n, "buffer" if a.is_buffer else "scalar", str(a.dtype), kernel.roles.get(n) if a.is_buffer else None
            )
            for n, a in kernel.args.items()
        )
        language = language_for(self.dst)
        options = ("-cl-std=CL2.0" if self.dst.vendor == "amd" else "-cl-std=CL1.2",) if language == "opencl" else ()
        return KernelText(language, kernel.name, answer.source, params, answer.header, options)

    def _judge(self, number: int, strategy: str, idea: str, candidate: Candidate) -> None:
        for backend in reversed(self.backends):  # the emulator first: it finds most, and nothing there can crash
            found = verify(
                candidate.text,
                self.oracle,
                self.cases,
                self.dst,
                backend,
                time_limit=self.swarm.time_limit,
                stop_early=True,
            )
            if found.verdict != "tested":
                verdict = "REFUTED" if found.verdict == "refuted" else "UNVERIFIED"
                reason = found.reason
                if self.swarm.explain and self.client and found.refuted:
                    reason += self._explanation(found.refuted.gate, found.refuted.detail, candidate.text.source, number)
                self._record(number, strategy, idea, verdict, reason, candidate.text)
                return
        seconds: float | None = None
        if self.backends != ["emulator"]:
            measured, _, _ = measure_port(
                candidate.text, self.source.kernel, self.cases[0], self.oracle, self.dst, self.backends
            )
            seconds = measured.median if measured else None
        judged = _Judged(candidate, number, seconds)
        with self.lock:
            self.verified.append(judged)
            better = self.best is None or (
                seconds is not None and self.best.seconds is not None and seconds < 0.98 * self.best.seconds
            )
            if better:
                self.best, self.idle = judged, 0
        where = "on the device" if self.backends != ["emulator"] else "in emulation"
        timed = f", {seconds:.3g} s" if seconds is not None else ""
        self._record(
            number, strategy, idea, "passed", f"every gate at {len(self.cases)} sizes {where}{timed}", candidate.text
        )

    def _explanation(self, gate: str, detail: str, source: str, number: int) -> str:
        answer = self._ask(explain_prompt(gate, detail, source), Brief, f"explain {number}")
        return f" [a model suggests: {' '.join(answer.points)}]" if answer and answer.points else ""

    def _record(
        self, number: int, strategy: str, idea: str, verdict: str, reason: str, text: KernelText | None
    ) -> None:
        parent = self.best.number if self.best and self.best.number != number else None
        record = IdeaRecord(
            number=number, author="translator" if number == 0 else "model", strategy=strategy, idea=idea,
            verdict=verdict, reason=reason[:2000], parent=parent,
        )  # fmt: skip
        with self.lock:
            self.ideas.append(record)
            if verdict != "passed":
                self.idle += number > 0
                self.failures.append(f"candidate {number} ({strategy}): {verdict}: {reason[:600]}")
        self.trace.add(
            "candidate", **record.model_dump(), source=text.source if text else "", header=text.header if text else "",
            spent={"input": self.spend.input_tokens, "output": self.spend.output_tokens, "seconds": self.spend.seconds},
        )  # fmt: skip
        if self.swarm.progress:
            b = self.spend.budget
            best = f"best: candidate {self.best.number}" if self.best else "none passes yet"
            self.swarm.progress(
                f"{self.dst.id}: candidate {number}/{b.max_candidates} {verdict}; {best}; {self.spend.tokens} tokens"
            )

    def _restore(self) -> int:
        """Take up an earlier run's candidates; the verified ones are judged again, the others are not."""
        numbers: list[int] = []
        spent: dict[str, float] = {}
        again: list[tuple[IdeaRecord, str, str]] = []
        for event in self.trace.events():
            if event["event"] == "start" and event.get("identity") != self.identity:
                raise TraceError(f"{self.trace.path}: belongs to another kernel or machine; name another folder")
            if event["event"] != "candidate":
                continue
            spent = event.get("spent", spent)
            record = IdeaRecord.model_validate({k: event[k] for k in IdeaRecord.model_fields if k in event})
            numbers.append(record.number)
            digest = hashlib.sha256(f"{event['header']}\0{event['source']}".encode()).hexdigest()
            self.tried.add(digest)
            if record.verdict == "passed":
                again.append((record, event["source"], event["header"]))
            else:
                self.ideas.append(record)
                self.failures.append(
                    f"candidate {record.number} ({record.strategy}): {record.verdict}: {record.reason[:600]}"
                )
        if numbers:
            self.spend.restore(
                max(numbers), int(spent.get("input", 0)), int(spent.get("output", 0)), float(spent.get("seconds", 0))
            )
        for record, source, header in again:
            text = self._text(KernelAnswer(source=source, header=header))
            author = record.author if record.number == 0 else f"model, candidate {record.number}"
            candidate = Candidate(text, self.constants, (), (), author=author)
            if record.number == 0 and self.translated:
                candidate = self.translated
            self._judge(record.number, record.strategy, record.idea, candidate)
        return len(numbers)
