"""Machine facts for people: pure functions, which templates use as filters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .units import UNLIMITED

if TYPE_CHECKING:
    from collections.abc import Callable

    from .machine import Machine
    from .schema import Fact
    from .units import Value

UNVERIFIED: Final = "°"
UNKNOWN: Final = "?"


def value(fact: Fact) -> str:
    """The value for people, with its unit: "48 KiB", "1024 threads", "unknown"."""
    return str(fact)


def unit(fact: Fact) -> str:
    """The canonical unit, in which the number is stored: "B", "op/s"."""
    return fact.unit


def mark(fact: Fact) -> str:
    """ "°" for a fact that nobody verified, "?" for an unknown one, else nothing."""
    if not fact.known:
        return UNKNOWN
    return "" if fact.verified else UNVERIFIED


def show(fact: Fact) -> str:
    """Value, unit, mark and source: "120 GB/s° [applenews]"."""
    source = f" [{', '.join(s.id for s in fact.sources)}]" if fact.sources else ""
    return f"{value(fact)}{mark(fact) if fact.known else ''}{source}"


def cite(fact: Fact) -> str:
    """The fact as a sentence's part, with the title of its source."""
    return fact.cite()


FILTERS: Final[dict[str, Callable[[Fact], str]]] = {
    "value": value,
    "unit": unit,
    "mark": mark,
    "show": show,
    "cite": cite,
}
"""Filters for Jinja, by name."""


def plain(value: Value | None) -> Any:
    """A value as JSON has it: tuples as lists, a limit that does not exist as "unlimited"."""
    if isinstance(value, tuple):
        return [plain(v) for v in value]
    return "unlimited" if value == UNLIMITED else value


def fact_record(fact: Fact) -> dict[str, Any]:
    """A fact as JSON: what is empty or the default is left out, provenance never is."""
    record: dict[str, Any] = {
        "value": plain(fact.value),
        "unit": fact.unit,
        "shown": str(fact),
        "kind": fact.kind,
        "source": [source.id for source in fact.sources],
        "confidence": fact.confidence,
        "verified": fact.verified,
        "bound": fact.bound,
        "phase": fact.phase,
        "scope": fact.scope,
        "layer": fact.layer,
    }
    extra = {"locator": fact.locator, "basis": fact.basis, "note": fact.note}
    record |= {key: text for key, text in extra.items() if text}
    if fact.conflicts:
        record["conflicts"] = [
            {
                "value": plain(c.value),
                "shown": fact.show(c.value),
                "source": c.source,
                "note": c.note,
                "was": c.replaced,
            }
            for c in fact.conflicts
        ]
    return record


def machine_record(machine: Machine) -> dict[str, Any]:
    """A machine as JSON: identity, all facts, and the sources that they cite."""
    cited = {source.id: source for fact in machine.facts().values() for source in fact.sources}
    return {
        "id": machine.id,
        "name": machine.name,
        "vendor": machine.vendor,
        "arch": machine.arch,
        "layer": machine.layer,
        "extends": list(machine.lineage),
        "aliases": list(machine.aliases),
        "apis": list(machine.apis),
        "note": machine.note,
        "facts": {path: fact_record(fact) for path, fact in machine.facts().items()},
        "sources": {key: {"title": s.title, "class": s.kind, "kept": s.kept} for key, s in sorted(cited.items())},
    }
