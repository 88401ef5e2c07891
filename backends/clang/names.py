"""Names of types as clang prints them, as they are written: which record, enumeration or typedef each means where."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .records import Record

_HIDDEN = re.compile(r"0x[0-9a-f]+::")  # functions on the way, as their ids
_UNNAMED = re.compile(r"(?:\w+::)*\((?:unnamed|anonymous|lambda)(?: \w+)? at ([^()]*)\)")
_UNSIGNED = re.compile(r"\b(\d+)U(?=[,>])")
_BRACKETS = r"(?:\[\d*\])+"
_CAST_ARGUMENT = re.compile(r"\([\w:]+\)(-?\d+)(?=[,>])")  # `(cuda::thread_scope)2`
_NAMED_ARGUMENT = re.compile(r"(?<=[<,( ])([A-Za-z_][\w:]*)(?=[,>])")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a name stands for, and where it is declared: a record, or the text of another type."""

    scope: str
    record: Record | None = None
    text: str = ""


@dataclass
class Names:
    """The names of a unit's types. A scope is a path `a::b::`, with a function's id for what it declares."""

    by_name: dict[str, list[Meaning]] = field(default_factory=dict)
    by_place: dict[str, list[Record]] = field(default_factory=dict)  # unnamed ones: file:line:column
    aliases: dict[str, str] = field(default_factory=dict)  # of namespaces
    constants: dict[str, list[Meaning]] = field(default_factory=dict)  # that a template's argument may be written with
    _pattern: re.Pattern[str] | None = None
    _found: dict[tuple[str, str], tuple[str, dict[str, Record]]] = field(default_factory=dict)

    def add(self, name: str, meaning: Meaning) -> None:
        """Make a type known by its name, with as much of its path before it as anyone may write."""
        _note(self.by_name, name, meaning)

    def add_constant(self, name: str, scope: str, value: int) -> None:
        """Make a constant known like a type."""
        _note(self.constants, name, Meaning(scope, text=str(value)))

    def find(self, text: str, scope: str) -> tuple[str, dict[str, Record]]:
        """Replace the names in a printed type; return the text with a word for each record, and what the words mean.

        A name that several types have means that of the innermost scope around; where that is not one, it stays.
        """
        key = (text, scope)
        if key not in self._found:
            words: dict[str, Record] = {}
            self._found[key] = (self._replaced(text, scope, words, 0), words)
        return self._found[key]

    def _replaced(self, text: str, scope: str, words: dict[str, Record], depth: int) -> str:
        def word(record: Record) -> str:
            key = f"gpuport_record_{record.node['id']}"
            words[key] = record
            return key

        def unnamed(match: re.Match[str]) -> str:
            found = self.by_place.get(match[1])
            return word(found[0]) if found else match[0]

        def named(match: re.Match[str]) -> str:
            meaning = _visible(self.by_name[match["name"]], scope)
            if meaning is None:
                return f"{match[0]} (one of several)"
            if meaning.record is not None:
                return f"{match['const'] or ''}{word(meaning.record)}{match['rows'] or ''}"
            if depth > 20:
                return match[0]
            other = self._replaced(meaning.text, meaning.scope, words, depth + 1)
            return _spliced(other, match["const"] or "", match["rows"] or "")

        def number(match: re.Match[str]) -> str:
            meaning = _visible(self.constants.get(match[1], ()), scope)
            return meaning.text if meaning is not None else match[0]

        text = _CAST_ARGUMENT.sub(r"\1", _UNSIGNED.sub(r"\1", text))
        if "<" in text:
            text = _NAMED_ARGUMENT.sub(number, text)
        for alias, namespace in self.aliases.items():
            text = re.sub(rf"(?<![\w:]){alias}::", f"{namespace}::", text)
        if " at " in text:
            text = _UNNAMED.sub(unnamed, text)
        if self._pattern is None and self.by_name:
            names = "|".join(map(re.escape, sorted(self.by_name, key=len, reverse=True)))
            self._pattern = re.compile(
                rf"(?P<const>\bconst )?(?<![\w:])(?P<name>{names})(?![\w:<])(?P<rows>{_BRACKETS})?"
            )
        return text if self._pattern is None else self._pattern.sub(named, text)


def _note(names: dict[str, list[Meaning]], name: str, meaning: Meaning) -> None:
    """Enter a meaning under a name with as much of its path before it as anyone may write."""
    path = _HIDDEN.sub("", meaning.scope).split("::")
    for i in range(len(path)):
        names.setdefault("::".join([*path[i:-1], name]), []).append(meaning)


def _spliced(other: str, const: str, rows: str) -> str:
    """Put a typedef's text in its place: `const` is of the whole type, rows of it stand before its own."""
    own = re.search(rf"{_BRACKETS}$", other)
    if rows and own:
        other, rows = other[: own.start()], rows + own[0]
    if const and other.endswith("*"):
        return f"{other}const{rows}"
    return f"{const}{other}{rows}"


def _visible(found: Iterable[Meaning], scope: str) -> Meaning | None:
    """Return what a name means at a scope: the one of the innermost scope around it; None if none is."""
    found = list({(id(m.record), m.text, m.scope): m for m in found}.values())
    if len(found) == 1:
        return found[0]
    around = [m for m in found if scope.startswith(m.scope)]
    innermost = [m for m in around if len(m.scope) == max(len(a.scope) for a in around)]
    return innermost[0] if len(innermost) == 1 else None


def enumerator_values(enum: dict[str, Any]) -> dict[str, int]:
    """Return the values of an enumeration by the enumerators' ids: the written one, or one more than before."""
    out: dict[str, int] = {}
    value = -1
    for constant in enum.get("inner", ()):
        if constant.get("kind") != "EnumConstantDecl":
            continue
        written = constant
        while written.get("inner") and not (written["kind"] == "ConstantExpr" and "value" in written):
            written = next((c for c in written["inner"] if str(c.get("kind")).endswith("Expr")), {})
        value = int(written["value"]) if "value" in written else value + 1
        out[constant["id"]] = value
    return out


def constant_value(variable: dict[str, Any]) -> int | None:
    """Return the value of a const integer variable that is initialised by a number, else None."""
    info = variable.get("type", {})
    if not variable.get("constexpr") and "const " not in str(info.get("qualType", "")):
        return None
    node = next((c for c in variable.get("inner", ()) if str(c.get("kind")).endswith(("Expr", "Literal"))), {})
    while node.get("inner") and node["kind"] in ("ImplicitCastExpr", "ParenExpr", "SubstNonTypeTemplateParmExpr"):
        node = node["inner"][-1]
    known = node.get("kind") in ("IntegerLiteral", "ConstantExpr") and str(node.get("value")).lstrip("-").isdigit()
    return int(node["value"]) if known else None


def underlying(enum: dict[str, Any]) -> str:
    """Return the type of an enumeration's values: the written one, or what clang chooses by the values."""
    written = enum.get("fixedUnderlyingType")
    if written:
        return written.get("desugaredQualType") or written["qualType"]
    values = list(enumerator_values(enum).values()) or [0]
    low, high = min(values), max(values)
    if low >= 0:
        return "unsigned int" if high < 1 << 32 else "unsigned long"
    return "int" if low >= -(1 << 31) and high < 1 << 31 else "long"
