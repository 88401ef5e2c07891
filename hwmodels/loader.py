"""Loading machines: names to files, layers merged along `extends`, peak rates derived from operations per clock."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

from .errors import MachineError, UnknownMachine
from .files import BUILTIN, ModelFile, common_sources, model_paths, read_header, read_model, search_folders, show_path
from .machine import Machine
from .schema import Confidence, Conflict, Fact, Header, RawFact, make_fact

_VENDOR_WORDS: Final = re.compile(
    r"^(nvidia|geforce|tesla|amd|radeon|instinct|apple|intel|qualcomm|arm)+(?=[a-z]|\d{3})"
)
_CONFIDENCE_ORDER: Final[tuple[Confidence, ...]] = ("unknown", "low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Entry:
    """A model file by its header."""

    path: Path
    header: Header


@dataclass(frozen=True, slots=True)
class Index:
    """All model files that can be found by name, and what was wrong with those that cannot be read."""

    entries: tuple[Entry, ...]
    errors: tuple[str, ...]


def normal(name: str) -> str:
    """A name as it is compared: lower case, letters and digits only, leading vendor words dropped."""
    bare = re.sub(r"[^a-z0-9]", "", name.lower())
    return _VENDOR_WORDS.sub("", bare)


@lru_cache(maxsize=1024)
def _header(path: Path, mtime_ns: int) -> Header:
    return read_header(path)


@lru_cache(maxsize=1024)
def _model(path: Path, mtime_ns: int) -> ModelFile:
    return read_model(path)


def model_file(path: Path) -> ModelFile:
    """A model file, read once as long as it does not change on disk."""
    try:
        return _model(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise MachineError(f"{show_path(path)}: cannot read: {error.strerror}") from None


def index() -> Index:
    """The headers of all model files in the search folders."""
    entries: list[Entry] = []
    errors: list[str] = []
    for folder in search_folders():
        for path in model_paths(folder):
            try:
                entries.append(Entry(path, _header(path, path.stat().st_mtime_ns)))
            except MachineError as error:
                errors.append(str(error))
    return Index(tuple(entries), tuple(errors))


def _names(header: Header) -> set[str]:
    return {normal(n) for n in (header.id, header.name, *header.aliases)}


def find_entry(name: str, found: Index | None = None) -> Entry:
    """The file that `name` means. Raises UnknownMachine (with the nearest names) or MachineError (ambiguous)."""
    found = found or index()
    exact = [e for e in found.entries if e.header.id == name]
    hits = exact or [e for e in found.entries if normal(name) in _names(e.header)]
    if len(hits) == 1:
        return hits[0]
    if hits:
        raise MachineError(f"{name!r} is ambiguous: " + ", ".join(f"{e.header.id} ({show_path(e.path)})" for e in hits))
    labels = {
        normal(label): e.header.id for e in found.entries for label in (*e.header.aliases, e.header.name, e.header.id)
    }
    close = difflib.get_close_matches(normal(name), labels, n=6, cutoff=0.5)
    nearest = list(dict.fromkeys(labels[c] for c in close))[:4]
    hint = f"nearest: {', '.join(nearest)}" if nearest else "see `gpuport machines list`"
    broken = f"; {len(found.errors)} file(s) cannot be read, the first: {found.errors[0]}" if found.errors else ""
    raise UnknownMachine(f"no machine model is called {name!r}; {hint}{broken}")


def _parent(file: ModelFile, name: str) -> ModelFile:
    beside = file.path.parent / f"{name}.toml"
    if beside.is_file() and beside != file.path:
        parent = model_file(beside)
        if parent.header.id == name:
            return parent
    try:
        return model_file(find_entry(name).path)
    except UnknownMachine as error:
        raise MachineError(f"{show_path(file.path)}: extends: {error}") from None


def lineage(file: ModelFile) -> list[ModelFile]:
    """The file and all that it extends, the root first. Raises MachineError where `extends` goes in a circle."""
    chain = [file]
    while (name := chain[-1].header.extends) is not None:
        parent = _parent(chain[-1], name)
        if any(parent.path == f.path for f in chain):
            circle = " -> ".join([*(f.header.id for f in chain), parent.header.id])
            raise MachineError(f"{show_path(file.path)}: extends: goes in a circle: {circle}")
        chain.append(parent)
    return chain[::-1]


def _tightens(parent: Fact, child: Fact) -> bool:
    """A value above a floor or below a ceiling says more than the parent, and does not contradict it."""
    was, now = parent.value, child.value
    if isinstance(was, bool | str | tuple) or isinstance(now, bool | str | tuple) or was is None or now is None:
        return False
    return (parent.bound == "floor" and now >= was) or (parent.bound == "ceiling" and now <= was)


def override(parent: Fact, child: Fact) -> Fact:
    """The child's fact, which keeps what it replaced as a conflict."""
    kept = parent.conflicts
    if parent.value is not None and parent.value != child.value and not _tightens(parent, child):
        kept = (Conflict(parent.value, parent.source, replaced=parent.layer), *kept)
    seen = {(c.value, c.source) for c in child.conflicts}
    new = tuple(c for c in kept if (c.value, c.source) not in seen and c.value != child.value)
    return replace(child, conflicts=child.conflicts + new)


def derive_rates(facts: dict[str, Fact]) -> dict[str, Fact]:
    """Peaks that follow from units x operations per clock x clock, for rates that no source states.

    The result is in op/s, kind "derived", and no more trusted than the least trusted of the three.
    """
    units, boost = facts.get("execution.compute_units"), facts.get("clock.boost")
    if units is None or boost is None or units.value is None or boost.value is None:
        return {}
    derived: dict[str, Fact] = {}
    for path, ops in facts.items():
        target = "rates." + path.removeprefix("ops.")
        if not path.startswith("ops.") or target in facts or ops.value is None:
            continue
        matrix = facts.get("clock.matrix") if path.startswith("ops.matrix") and ops.basis != "boost" else None
        clock = matrix if matrix is not None and matrix.value is not None else boost
        inputs = (units, ops, clock)
        if any(isinstance(f.value, bool | str | tuple) for f in inputs):
            continue
        value = units.value * ops.value * clock.value  # pyright: ignore[reportOperatorIssue, reportOptionalOperand]
        worst = min(inputs, key=lambda f: _CONFIDENCE_ORDER.index(f.confidence))
        raw = RawFact(v=f"{value} op/s", src="derived", conf=worst.confidence, at=f"{units} x {ops} x {clock}")
        fact = make_fact(target, raw, common_sources(), "device")
        derived[target] = replace(fact, basis="matrix" if clock is matrix else "boost")
    return derived


def merge(chain: list[ModelFile]) -> Machine:
    """One machine from its layers, root first."""
    facts: dict[str, Fact] = {}
    sources = dict(common_sources())
    for file in chain:
        sources |= file.sources
        for path, fact in file.facts.items():
            facts[path] = override(facts[path], fact) if path in facts else fact
    facts |= derive_rates(facts)
    leaf = chain[-1]

    def inherited(name: str) -> str:
        found = next((v for f in reversed(chain) if (v := getattr(f.header, name)) is not None), None)
        if found is None:
            raise MachineError(f"{show_path(leaf.path)}: {name}: missing, here and in what it extends")
        return found

    apis = next((f.header.apis for f in reversed(chain) if f.header.apis is not None), ())
    return Machine(
        id=leaf.header.id,
        name=leaf.header.name,
        vendor=inherited("vendor"),
        arch=inherited("arch") if leaf.header.layer != "family" else leaf.header.arch or leaf.header.id,
        aliases=leaf.header.aliases,
        apis=apis,
        path=leaf.path,
        layer=leaf.header.layer,
        lineage=tuple(f.header.id for f in chain[:-1]),
        match={k: v for f in chain for k, v in f.header.match.items()},
        note=leaf.header.note,
        sources=sources,
        _facts=facts,
    )


def load_machine(name_or_path: str | Path) -> Machine:
    """The machine that a name, an alias or the path of a .toml file means.

    Names ignore case, spaces, hyphens and a leading vendor ("M4 Max", "rtx-4090", "NVIDIA H200"). The name of an
    architecture ("sm_90", "gfx942") gives the architecture: its limits, and no device's size or speed.

    Raises UnknownMachine with the nearest names, or MachineError with file and key. Nothing is ever assumed.
    """
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or text.endswith(".toml"):
        path = Path(text).expanduser().resolve()
        if not path.is_file():
            raise UnknownMachine(f"{text}: no such model file")
        return merge(lineage(model_file(path)))
    return merge(lineage(model_file(find_entry(text).path)))


def machine_names() -> list[str]:
    """Ids of all devices that can be loaded by name, built-in and the user's; architectures are left out."""
    return [e.header.id for e in index().entries if e.header.layer in ("device", "instance")]


def architecture_names() -> list[str]:
    """Ids of the families and architectures that devices extend."""
    return [e.header.id for e in index().entries if e.header.layer in ("family", "arch")]


def builtin_names() -> list[str]:
    """Ids of the devices that ship with gpuport."""
    entries = index().entries
    return [e.header.id for e in entries if e.header.layer == "device" and e.path.is_relative_to(BUILTIN)]
