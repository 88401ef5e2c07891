"""The prompts: templates filled with the kernel, both machines, their difference, and what was tried."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..hwmodels.compare import compare
from ..ir.diagnostics import Refusal
from ..porting.translate import language_for, translate
from ..templates import environment
from .client import CHARS_PER_TOKEN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..backends.base import KernelText
    from ..hwmodels import Machine
    from ..hwmodels.compare import Change
    from ..porting.candidate import Candidate, SourceProgram

LANGUAGE_NAMES = {"opencl": "OpenCL C", "metal": "Metal for MLX", "cuda": "CUDA C++", "hip": "HIP"}

# what a kernel writer asks of a machine; the prompts leave out what a model does not know
FACTS = (
    "execution.compute_units", "execution.subgroup_width", "limits.threads_per_group", "shared.per_group",
    "shared.banks", "registers.per_thread", "memory.bandwidth", "cache.l2.size", "cache.line", "rates.vector.f32",
    "features.fp64", "features.subgroups", "features.atomic_f32_global", "features.atomic_f32_shared",
    "numerics.subnormals_f32",
)  # fmt: skip

Message = dict[str, str]


@dataclass(frozen=True)
class Situation:
    """What the prompts of one run share."""

    source: SourceProgram
    text: str
    src: Machine
    dst: Machine
    translated: Candidate | None = None
    translated_ok: bool = False
    diagnostics: tuple[str, ...] = ()
    advice: str = ""
    briefs: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    language_wanted: str | None = None

    @property
    def language(self) -> str:
        """The language to write."""
        return self.translated.text.language if self.translated else language_for(self.dst, self.language_wanted)


def filled(template: str, **context: Any) -> str:
    """Return a template of templates/prompts, filled."""
    env = environment()
    env.filters.update(plain=plain, tag=tag)
    tests: dict[str, Any] = {"doubtful": doubtful}
    env.tests.update(tests)
    return env.get_template(f"prompts/{template}.md.j2").render(**context)


def messages(template: str, **context: Any) -> list[Message]:
    """Return the system prompt and a filled template."""
    return [
        {"role": "system", "content": filled("system").strip()},
        {"role": "user", "content": filled(template, **context).strip()},
    ]


def sage_prompt(s: Situation, machine: Machine, role: str) -> list[Message]:
    """Ask a machine's sage for a brief; `role` is source or target."""
    return messages("sage", machine=machine, role=role, paths=FACTS, source=s.text, advice=s.advice)


def plan_prompt(s: Situation, count: int) -> list[Message]:
    """Ask the supervisor for strategies."""
    return messages(
        "plan", src=s.src, dst=s.dst, source=s.text, count=count, changes=differences(s), diagnostics=s.diagnostics,
        briefs=s.briefs, advice=s.advice,
    )  # fmt: skip


@dataclass(frozen=True)
class Before:
    """What a worker is shown of what was tried: a passing candidate with notes on it, a failed one, reasons."""

    best: str = ""
    notes: tuple[str, ...] = ()
    failed: str = ""
    finding: str = ""
    failures: tuple[str, ...] = ()


def worker_prompt(s: Situation, strategy: str, before: Before = Before()) -> list[Message]:
    """Ask a worker for a kernel."""
    kernel = s.source.kernel
    constants = s.translated.constants if s.translated else s.source.constants
    sizes = kernel.size_sets()
    launch = kernel.launch(sizes[0], constants)
    idioms = filled(f"idioms_{s.language}", dst=s.dst, entry=kernel.name).strip()
    return messages(
        "worker", entry=kernel.name, src=s.src, dst=s.dst, language=s.language,
        language_name=LANGUAGE_NAMES[s.language], strategy=strategy, source=s.text, args=_arguments(s),
        grid=" x ".join(e.text for e in kernel.model.launch.grid), block=" x ".join(map(str, launch.block)),
        shared=launch.shared_bytes, sizes=_sizes(sizes), compare=_compare(s), paths=FACTS, changes=differences(s),
        briefs=s.briefs, idioms=idioms,
        translated=joined(s.translated.text) if s.translated else "", translated_ok=s.translated_ok,
        diagnostics=s.diagnostics, best=before.best, notes=before.notes, failed=before.failed,
        finding=before.finding, failures=before.failures[-8:], advice=s.advice,
    )  # fmt: skip


def all_prompts(s: Situation, count: int = 4) -> dict[str, list[Message]]:
    """Return every prompt of a run's start by who is asked; those later on add briefs and what was tried."""
    return {
        "source sage": sage_prompt(s, s.src, "source"),
        "target sage": sage_prompt(s, s.dst, "target"),
        "supervisor": plan_prompt(s, count),
        "worker": worker_prompt(s, "the best that you can think of"),
    }


def situation_of(source: SourceProgram, src: Machine, dst: Machine, advice: str, language: str | None) -> Situation:
    """Translate a kernel and return what the prompts share. Raises NoWriter."""
    text = source.kernel.source.read_text(encoding="utf-8", errors="replace")
    translated, diagnostics = None, ()
    try:
        [translated, *_] = translate(source, src, dst, language=language)
        diagnostics = tuple(map(str, translated.diagnostics))
    except Refusal as refusal:
        diagnostics = tuple(map(str, refusal.diagnostics))
    return Situation(source, text, src, dst, translated, False, diagnostics, advice, language_wanted=language)


def explain_prompt(gate: str, detail: str, source: str) -> list[Message]:
    """Ask for an explanation of a refutation; it changes nothing."""
    return messages("explain", gate=gate, detail=detail, source=source)


def differences(s: Situation, most: int = 14) -> list[Change]:
    """Return what changes between the machines, the most consequential first."""
    return list(compare(s.src, s.dst))[:most]


def tokens(prompt: Sequence[Message]) -> int:
    """Return an estimate of a prompt's tokens."""
    return sum(len(m["content"]) for m in prompt) // CHARS_PER_TOKEN


def _arguments(s: Situation) -> list[str]:
    lines: list[str] = []
    for name, arg in s.source.kernel.args.items():
        if arg.is_buffer:
            shape = ", ".join(e.text for e in arg.shape or ())
            lines.append(
                f"{name}: {arg.dtype} [{shape}], {arg.role}"
                + (f", filled with {arg.init}" if arg.init is not None else "")
            )
        else:
            lines.append(f"{name}: {arg.dtype} by value")
    return lines


def _sizes(sizes: Sequence[Mapping[str, int]]) -> str:
    return "; ".join(", ".join(f"{k} = {n}" for k, n in size.items()) for size in sizes[:8]) or "one size only"


def _compare(s: Situation) -> str:
    return ", ".join(f"{name} {how}" for name, how in s.source.kernel.model.reference.compare.items())


def joined(text: KernelText) -> str:
    """A kernel's text as one file, as people see it."""
    from ..backends.clike.wrapper import file_text

    return file_text(text)


def plain(text: str) -> str:
    """Text as data in a prompt: without the marks that delimit data, and with every odd character spelled out.

    Control characters, bidirectional marks and the like can make a text look other than it is.
    """
    out = text.replace("\r\n", "\n").replace("«", "<<").replace("»", ">>")
    return "".join(c if c in "\n\t" or c.isprintable() else f"\\u{{{ord(c):x}}}" for c in out)


def tag(text: str) -> str:
    """A mark that the text itself cannot hold, since it depends on all of it."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]


def doubtful(change: Change) -> bool:
    """Whether a difference between two machines rests on a fact that nobody verified."""
    return any(f is not None and f.known and not f.verified for f in (change.source_fact, change.destination_fact))
