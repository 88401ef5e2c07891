"""The public `port()`: the deterministic porter, and on request the swarm beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from .hwmodels import Machine
from .porting.port import port as port_with
from .porting.translate import translate

if TYPE_CHECKING:
    from .agents.swarm import Swarm
    from .porting.port import Progress
    from .porting.report import PortReport
    from .porting.spec import Kernel
    from .porting.specialise import Doubles

Named = str | Path


@overload
def port(
    kernel: Kernel | Named, src: Machine | Named, dst: Machine | Named, *, agents: Swarm | None = ...,
    language: str | None = ..., fp64: Doubles = ..., time_limit: float = ..., progress: Progress | None = ...,
) -> PortReport: ...  # fmt: skip
@overload
def port(
    kernel: Kernel | Named, src: Machine | Named, dst: Sequence[Machine | Named], *, agents: Swarm | None = ...,
    language: str | None = ..., fp64: Doubles = ..., time_limit: float = ..., progress: Progress | None = ...,
) -> list[PortReport]: ...  # fmt: skip
def port(
    kernel: Kernel | Named,
    src: Machine | Named,
    dst: Machine | Named | Sequence[Machine | Named],
    *,
    agents: Swarm | None = None,
    language: str | None = None,
    fp64: Doubles = "",
    time_limit: float = 20.0,
    progress: Progress | None = None,
) -> PortReport | list[PortReport]:
    """Port a kernel from the machine `src` to `dst`; a list of destinations gives a list of reports.

    `kernel` is a Kernel, its spec file, or a source file with NAME.kernel.toml beside it; machines are names or model
    files. `agents`: a swarm whose candidates compete with the translator's before the same gates; the report has its
    tree of ideas. `language`: what the translator writes where a destination runs several. `fp64`: what doubles become
    where the destination has none, "float32" or "double-single" (pairs of floats); empty refuses them. `time_limit`:
    seconds that one run of a candidate may take. A destination that cannot be ported to gives a report with
    the verdict REFUSED and the reasons.
    Raises Refusal where the source cannot be read, SpecError, MachineError, what the reference raises, and ModelError
    for a language-model server that cannot be used.
    """
    from .agents.swarm import with_ideas

    options: dict[str, Any] = {"language": language, "fp64": fp64, "time_limit": time_limit, "progress": progress}
    if agents is not None:
        agents = replace(agents, language=language or agents.language)
        options["synthesizers"] = (translate, agents)
    if isinstance(dst, str | Path | Machine):
        return with_ideas(port_with(kernel, src, dst, **options), agents)
    return [with_ideas(r, agents) for r in port_with(kernel, src, list(dst), **options)]
