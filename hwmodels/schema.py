"""What a model file may contain, checked by pydantic, and the facts and sources that come out of it.

A fact in a file is an inline table: `per_group = { v = "48 KiB", src = "cccl" }`. The class of its first source gives
its kind and confidence unless the fact states them. A bare number is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict
from pydantic import Field as PydanticField

from .fields import Field, find_field
from .units import UNLIMITED, UnitError, Value, parse_quantity, parse_unit, scale, show_value

Kind = Literal["rule", "datasheet", "driver", "measured", "derived", "report", "unknown"]
Bound = Literal["exact", "ceiling", "floor"]
Phase = Literal["static", "launch", "compiled-kernel", "runtime"]
Confidence = Literal["high", "medium", "low", "unknown"]
Layer = Literal["family", "arch", "device", "instance"]
SourceClass = Literal["rule", "datasheet", "driver", "measured", "derived", "report", "recall"]

_CONFIDENCE_OF: Final[dict[SourceClass, Confidence]] = {
    "rule": "high",
    "datasheet": "high",
    "driver": "high",
    "measured": "medium",
    "derived": "medium",
    "report": "medium",
    "recall": "low",
}
_SCOPE_OF: Final[dict[Layer, str]] = {"family": "family", "arch": "arch", "device": "sku", "instance": "instance"}
_SHAPE: Final = re.compile(r"\d+x(\d+|\d+\.\.\d+/\d+)x\d+")


class FactError(ValueError):
    """A fact in a file that cannot be accepted; the loader adds the file and the key."""


class Source(BaseModel):
    """Where numbers come from; `kept` is false where it was recalled or not kept, which makes its facts unverified."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    id: str = ""
    title: str
    kind: SourceClass = PydanticField(alias="class")
    conf: Confidence | None = None
    kept: bool = True


class RawConflict(BaseModel):
    """Another value for the same fact, as a file states it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    v: bool | int | float | str | list[bool | int | float | str]
    src: str
    note: str = ""


class RawFact(BaseModel):
    """One fact, as a file states it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    v: bool | int | float | str | list[int | float | str] | None = PydanticField(
        default=None, description='"48 KiB", a bool, text, or a list with `unit`; absent only with kind = "unknown"'
    )
    unit: str | None = PydanticField(default=None, description="unit of a list of numbers")
    kind: Kind | None = PydanticField(default=None, description="authority; default: the class of the first source")
    src: str | list[str] = PydanticField(default_factory=list, description="source ids, the strongest first")
    at: str = PydanticField(default="", description="where in the source")
    bound: Bound = PydanticField(default="exact", description="a ceiling may reject, a floor may admit")
    phase: Phase = PydanticField(default="static", description="when the value is final")
    scope: str | None = PydanticField(default=None, description="validity; default: the layer of the file")
    conf: Confidence | None = PydanticField(default=None, description="confidence; default: by the source's class")
    verified: bool | None = PydanticField(default=None, description="read in the named source, and not contradicted")
    basis: Literal["boost", "matrix"] | None = PydanticField(default=None, description="clock of a peak rate")
    note: str = ""
    conflicts: list[RawConflict] = PydanticField(default_factory=list)


class Header(BaseModel):
    """The top-level keys of a model file; they stand before its tables."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    format: Literal["machine/1"] = PydanticField(alias="schema")
    id: str = PydanticField(pattern=r"^[a-z0-9][a-z0-9_.-]*$")
    name: str
    layer: Layer = "device"
    extends: str | None = None
    vendor: str | None = None
    arch: str | None = None
    apis: tuple[str, ...] | None = None
    aliases: tuple[str, ...] = ()
    match: dict[str, str] = PydanticField(default_factory=dict, description="what device APIs call it")
    note: str = ""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Another value for a fact, in the fact's canonical unit, and where it comes from.

    `replaced` names the layer ("arch") whose value this was before a layer above it overrode it; empty otherwise.
    """

    value: Value
    source: str
    note: str = ""
    replaced: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """One number (or text, or bool, or tuple of them) that a machine model states, with its provenance.

    `value` is in the canonical unit `unit` and None only where `kind` is "unknown"; a limit that does not exist is
    `math.inf`. `sources` is empty only for unknown facts.
    """

    path: str
    label: str
    value: Value | None
    unit: str
    kind: Kind
    sources: tuple[Source, ...] = ()
    locator: str = ""
    bound: Bound = "exact"
    phase: Phase = "static"
    scope: str = "sku"
    confidence: Confidence = "high"
    verified: bool = True
    basis: str = ""
    note: str = ""
    noun: str = ""
    layer: Layer = "device"
    conflicts: tuple[Conflict, ...] = field(default=())

    @property
    def source(self) -> str:
        """Id of the strongest source; empty for an unknown fact."""
        return self.sources[0].id if self.sources else ""

    @property
    def known(self) -> bool:
        """False where the model says that the value is unknown."""
        return self.kind != "unknown"

    @property
    def may_reject(self) -> bool:
        """Whether this fact alone may refuse a kernel: it is verified, not of low confidence, and no mere floor."""
        return self.known and self.verified and self.confidence in ("high", "medium") and self.bound != "floor"

    @property
    def may_admit(self) -> bool:
        """Whether this fact alone may let a kernel through: it is known and no mere ceiling."""
        return self.known and self.bound != "ceiling"

    def show(self, value: Value | None) -> str:
        """Another value of this fact (a conflict's) for people, in this fact's unit."""
        dtype = self.path.split(".")[2] if self.unit == "op/s" and self.path.startswith("rates") else "f32"
        return show_value(value, self.unit, self.noun, "OP" if dtype[0] in "iub" and dtype != "bf16" else "FLOP")

    def __str__(self) -> str:
        return self.show(self.value)

    def cite(self) -> str:
        """The fact as a sentence's part: "48 KiB shared memory per group (NVIDIA/cccl ...)"."""
        at = f", {self.locator}" if self.locator else ""
        origin = f"{self.sources[0].title}{at}" if self.sources else "no source"
        bound = {"exact": "", "ceiling": "at most ", "floor": "at least "}[self.bound]
        counted = self.unit in ("count", "reg32") or self.label.split()[0].rstrip("s") == self.unit
        if self.unit in ("text", "bool", "shape", "lane") or isinstance(self.value, tuple) or self.value is None:
            return f"{self.label}: {bound}{self} ({origin})"
        shown = show_value(self.value, "count") if counted else str(self)
        return f"{bound}{shown} {self.label} ({origin})"


def _number(item: float | str, unit: str, declared: str | None) -> tuple[int | float, str]:
    if isinstance(item, str):
        return parse_quantity(item, unit)
    if declared is None:
        raise FactError(f'bare number {item}; write it with its unit, e.g. "{item} {unit}"')
    factor, noun = parse_unit(declared, unit)
    return scale(item, factor), noun


def _scalar(item: Any, spec: Field, declared: str | None) -> tuple[Any, str]:
    match spec.unit:
        case "bool":
            if not isinstance(item, bool):
                raise FactError(f"{item!r}; expected true or false")
            return item, ""
        case "text" | "shape":
            if not isinstance(item, str):
                raise FactError(f"{item!r}; expected text")
            if spec.unit == "shape" and not _SHAPE.fullmatch(item):
                raise FactError(
                    f'{item!r} is no matrix shape; expected "16x8x16" or "64x8..256/8x16" (N from..to/step)'
                )
            if spec.choices and item not in spec.choices:
                raise FactError(f"{item!r}; expected one of {', '.join(spec.choices)}")
            return item, ""
        case unit:
            if isinstance(item, bool):
                raise FactError(f"{item!r}; expected a quantity in {unit}")
            return _number(item, unit, declared)


def parse_value(raw: Any, spec: Field, declared: str | None = None) -> tuple[Value, str]:
    """A value as written in a file -> (value in canonical units, noun). Raises FactError."""
    try:
        if not isinstance(raw, list):
            if spec.shape == "list":
                raise FactError(f"{raw!r}; expected a list")
            return _scalar(raw, spec, declared)
        if spec.shape == "one":
            raise FactError(f"{raw!r} is a list; expected one value")
        pairs = [_scalar(item, spec, declared) for item in raw]
    except UnitError as error:
        raise FactError(str(error)) from None
    return tuple(value for value, _ in pairs), next((noun for _, noun in pairs), "")


def _label(path: str, spec: Field) -> str:
    """The field's label, with the names that its vocabularies stand for: "vector peak, f32"."""
    pairs = zip(spec.path.split("."), path.split("."), strict=True)
    named = [name for pattern, name in pairs if pattern.startswith("<") and name != "matrix"]
    return f"{spec.label}, {'.'.join(named)}" if named else spec.label


def make_fact(path: str, raw: RawFact, sources: dict[str, Source], layer: Layer) -> Fact:
    """Check one fact against its field and its sources. Raises FactError."""
    spec = find_field(path)
    if spec is None:
        raise FactError("no such fact")
    ids = [raw.src] if isinstance(raw.src, str) else raw.src
    if missing := [i for i in [*ids, *(c.src for c in raw.conflicts)] if i not in sources]:
        raise FactError(f"source {missing[0]!r} is not defined; add [sources.{missing[0]}] or use a known id")
    found = tuple(sources[i] for i in ids)
    unknown = raw.kind == "unknown"
    if unknown != (raw.v is None):
        raise FactError('kind = "unknown" takes no value' if unknown else 'no value; write v = ... or kind = "unknown"')
    if not unknown and not found:
        raise FactError("no source; write src = ...")
    value, noun = (None, "") if raw.v is None else parse_value(raw.v, spec, raw.unit)
    if isinstance(value, float) and value != UNLIMITED and spec.unit in ("B", "thread", "lane", "group", "count"):
        raise FactError(f"{value} {spec.unit} is not a whole number")
    strongest: SourceClass = found[0].kind if found else "report"
    kind: Kind = raw.kind or ("report" if strongest == "recall" else strongest)
    confidence = raw.conf or ("unknown" if unknown else found[0].conf or _CONFIDENCE_OF[strongest])
    verified = raw.verified
    if verified is None:
        verified = bool(found) and found[0].kept and kind != "derived" and confidence != "low"
    conflicts = tuple(Conflict(parse_value(c.v, spec, raw.unit)[0], c.src, c.note) for c in raw.conflicts)
    return Fact(
        path=path,
        label=_label(path, spec),
        value=value,
        unit=spec.unit,
        kind=kind,
        sources=found,
        locator=raw.at,
        bound=raw.bound,
        phase=raw.phase,
        scope=raw.scope or _SCOPE_OF[layer],
        confidence=confidence,
        verified=verified,
        basis=raw.basis or "",
        note=raw.note,
        noun=noun,
        layer=layer,
        conflicts=conflicts,
    )
