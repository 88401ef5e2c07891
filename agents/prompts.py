"""The prompts: templates filled with the kernel, both machines, their difference, and what was tried."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..hwmodels.compare import compare
from ..porting.translate import language_for
from ..templates import render
from .client import CHARS_PER_TOKEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..hwmodels import Machine
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
    briefs: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def language(self) -> str:
        """The language to write."""
        return self.translated.text.language if self.translated else language_for(self.dst)


def messages(template: str, **context: Any) -> list[Message]:
    """Return the system prompt and a filled template."""
    return [
        {"role": "system", "content": render("prompts/system.md.j2").strip()},
        {"role": "user", "content": render(f"prompts/{template}.md.j2", **context).strip()},
    ]


def sage_prompt(s: Situation, machine: Machine, role: str) -> list[Message]:
    """Ask a machine's sage for a brief; `role` is source or target."""
    return messages("sage", machine=machine, role=role, paths=FACTS, source=s.text, advice=s.advice)


def plan_prompt(s: Situation, count: int) -> list[Message]:
    """Ask the supervisor for strategies."""
    return messages(
        "plan", src=s.src, dst=s.dst, source=s.text, count=count, changes=differences(s), diagnostics=s.diagnostics,
        advice=s.advice,
    )  # fmt: skip


def worker_prompt(
    s: Situation, strategy: str, *, best: str = "", best_note: str = "", failures: Sequence[str] = ()
) -> list[Message]:
    """Ask a worker for a kernel."""
    kernel = s.source.kernel
    constants = s.translated.constants if s.translated else s.source.constants
    sizes = kernel.size_sets()[0]
    launch = kernel.launch(sizes, constants)
    idioms = render(f"prompts/idioms_{s.language}.md.j2", dst=s.dst, entry=kernel.name).strip()
    return messages(
        "worker", entry=kernel.name, src=s.src, dst=s.dst, language=s.language,
        language_name=LANGUAGE_NAMES[s.language], strategy=strategy, source=s.text, args=_arguments(s),
        grid=" x ".join(e.text for e in kernel.model.launch.grid), block=" x ".join(map(str, launch.block)),
        shared=launch.shared_bytes, paths=FACTS, changes=differences(s), briefs=s.briefs, idioms=idioms,
        translated=_joined(s.translated) if s.translated else "", translated_ok=s.translated_ok,
        diagnostics=s.diagnostics, best=best, best_note=best_note, failures=list(failures)[-8:], advice=s.advice,
    )  # fmt: skip


def explain_prompt(gate: str, detail: str, source: str) -> list[Message]:
    """Ask for an explanation of a refutation; it changes nothing."""
    return messages("explain", gate=gate, detail=detail, source=source)


def differences(s: Situation, most: int = 14) -> list[Any]:
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


def _joined(candidate: Candidate) -> str:
    from ..backends.clike.wrapper import file_text

    return file_text(candidate.text)
