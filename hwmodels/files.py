"""Finding and reading model files: TOML to header, sources and facts; every complaint names file and key."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from .errors import MachineError
from .fields import field_tree, known_below, nearest_paths, step
from .schema import Fact, FactError, Header, RawFact, Source, make_fact

if TYPE_CHECKING:
    from collections.abc import Iterator

BUILTIN: Final = Path(__file__).parent / "models"
_FACT_KEYS: Final = frozenset(RawFact.model_fields)
_HEADER_KEYS: Final = frozenset({"schema", *Header.model_fields} - {"format"})


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file, checked: its header, the sources it adds, and its own facts (parents not merged)."""

    path: Path
    header: Header
    sources: dict[str, Source]
    facts: dict[str, Fact]


def search_folders() -> list[Path]:
    """Folders with model files: built-in, then those in GPUPORT_HWMODELS, then the user's config folder."""
    folders = [BUILTIN]
    folders += [Path(p).expanduser() for p in os.environ.get("GPUPORT_HWMODELS", "").split(os.pathsep) if p]
    config = os.environ.get("XDG_CONFIG_HOME")
    folders.append((Path(config) if config else Path.home() / ".config") / "gpuport" / "hwmodels")
    return [folder for folder in folders if folder.is_dir()]


def model_paths(folder: Path) -> list[Path]:
    """Model files below `folder`, sorted; `sources.toml` is not one."""
    return sorted(p for p in folder.rglob("*.toml") if p.name != "sources.toml")


def show_path(path: Path) -> str:
    """A path for messages: short for built-in files, as given otherwise."""
    return str(path.relative_to(BUILTIN.parent)) if path.is_relative_to(BUILTIN) else str(path)


def _first_error(error: ValidationError) -> tuple[str, str]:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"] if not (isinstance(part, str) and "[" in part))
    match first["type"]:
        case "extra_forbidden":
            return key, "unknown key"
        case "missing":
            return key, "missing"
        case _:
            return key, f"{first['msg'].lower()}, got {first.get('input')!r}"


def _parse_toml(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MachineError(f"{show_path(path)}: not TOML: {error}") from None


def read_text(path: Path) -> str:
    """The file's text. Raises MachineError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise MachineError(f"{show_path(path)}: cannot read: {reason}") from None


def parse_header(path: Path, table: dict[str, Any]) -> Header:
    """The header from a file's top-level keys. Raises MachineError with file and key."""
    try:
        return Header.model_validate({k: v for k, v in table.items() if k in _HEADER_KEYS})
    except ValidationError as error:
        key, message = _first_error(error)
        raise MachineError(f"{show_path(path)}: {key}: {message}") from None


def read_header(path: Path) -> Header:
    """The header alone: what stands before the first table. Fast enough to index a folder with."""
    text = read_text(path)
    head = text if text.startswith("[") else text.split("\n[", 1)[0]
    try:
        table = tomllib.loads(head)
    except tomllib.TOMLDecodeError:
        table = _parse_toml(path, text)
    return parse_header(path, table)


def parse_sources(path: Path, table: Any) -> dict[str, Source]:
    """`[sources.ID]` tables. Raises MachineError with file and key."""
    if not isinstance(table, dict):
        raise MachineError(f"{show_path(path)}: sources: expected tables [sources.ID]")
    sources: dict[str, Source] = {}
    for key, raw in table.items():
        try:
            sources[key] = Source.model_validate({**raw, "id": key} if isinstance(raw, dict) else raw)
        except ValidationError as error:
            name, message = _first_error(error)
            raise MachineError(f"{show_path(path)}: sources.{key}.{name}: {message}") from None
    return sources


@cache
def common_sources() -> dict[str, Source]:
    """Sources that every file may cite, from the built-in `sources.toml`."""
    path = BUILTIN / "sources.toml"
    return parse_sources(path, _parse_toml(path, read_text(path)))


def _leaves(path: Path, table: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """(fact path, raw value) of each leaf, refusing keys that no field has."""
    stack: list[tuple[str, Any, Any]] = [("", table, field_tree())]
    while stack:
        prefix, value, node = stack.pop()
        if not isinstance(node, dict):
            yield prefix, value
            continue
        if not isinstance(value, dict) or (prefix and not value.keys() - _FACT_KEYS):
            expected = ", ".join(known_below(prefix)[:12])
            raise MachineError(f"{show_path(path)}: {prefix}: expected a table with some of: {expected}")
        for key in reversed(value):
            name = f"{prefix}.{key}" if prefix else key
            child = step(node, key)
            if child is None:
                near = nearest_paths(name)
                hint = (
                    f"; nearest: {', '.join(near)}" if near else f"; known here: {', '.join(known_below(prefix)[:12])}"
                )
                raise MachineError(f"{show_path(path)}: {name}: unknown key{hint}")
            stack.append((name, value[key], child))


def _fact(path: Path, key: str, raw: Any, sources: dict[str, Source], header: Header) -> Fact:
    if not isinstance(raw, dict):
        what = "bare number" if isinstance(raw, int | float) and not isinstance(raw, bool) else "bare value"
        raise MachineError(f'{show_path(path)}: {key}: {what} {raw!r}; write {{ v = "{raw} UNIT", src = "SOURCE" }}')
    try:
        return make_fact(key, RawFact.model_validate(raw), sources, header.layer)
    except ValidationError as error:
        name, message = _first_error(error)
        raise MachineError(f"{show_path(path)}: {key}.{name}: {message}") from None
    except FactError as error:
        raise MachineError(f"{show_path(path)}: {key}: {error}") from None


def parse_model(path: Path, text: str) -> ModelFile:
    """A model file's text, checked. Raises MachineError with file and key."""
    table = _parse_toml(path, text)
    header = parse_header(path, table)
    own = parse_sources(path, table.get("sources", {}))
    if clash := own.keys() & common_sources().keys():
        raise MachineError(f"{show_path(path)}: sources.{min(clash)}: already defined in models/sources.toml")
    sources = {**common_sources(), **own}
    rest = {k: v for k, v in table.items() if k not in _HEADER_KEYS and k != "sources"}
    facts = {key: _fact(path, key, raw, sources, header) for key, raw in _leaves(path, rest)}
    return ModelFile(path, header, own, facts)


def read_model(path: Path) -> ModelFile:
    """A model file. Raises MachineError with file and key."""
    return parse_model(path, read_text(path))
