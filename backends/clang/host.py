"""Host code in a kernel's file: what of it does not compile with gpuport's headers is left out.

Left out are whole declarations in which clang finds an error and which name nothing of the device, not by a macro
either, and `#include <...>` of what is not there or does not compile. A kernel that needs one of them does not compile
without it and is refused: what is left never means something else. All else keeps its offset.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .tool import diagnose, macros, raw_tokens

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from .tool import Message, Token

_DEVICE: Final = frozenset({"__global__", "__device__", "__constant__", "__shared__", "__managed__"})
_OURS: Final = Path(__file__).resolve().parents[1]  # an error in one of our own headers is never the host's
_ROUNDS: Final = 60  # a missing header ends clang's run: each takes one


@dataclass(frozen=True, slots=True)
class _Piece:
    """A declaration's tokens, and in how many namespaces it stands."""

    tokens: tuple[Token, ...]
    spaces: int

    def has(self, line: int, col: int) -> bool:
        first, last = self.tokens[0], self.tokens[-1]
        return (first.line, first.col) <= (line, col) <= (last.line, last.col)


class _File:
    """A file of the user's: its declarations, its includes, its text with what is left out blank."""

    def __init__(self, path: Path) -> None:
        self.lines = path.read_bytes().split(b"\n")
        tokens = [t for t in raw_tokens(path) if t.kind != "comment"]
        self.directives = self._directives(tokens)
        self.headers = self._headers(tokens)
        self.pieces = _pieces([t for t in tokens if t.line not in self.directives])

    def _directives(self, tokens: Sequence[Token]) -> set[int]:
        found: set[int] = set()
        for before, t in zip([None, *tokens], tokens, strict=False):
            if t.kind == "hash" and (before is None or before.line < t.line):
                line = t.line
                while self.lines[line - 1].rstrip().endswith(b"\\") and line < len(self.lines):
                    found.add(line)
                    line += 1
                found.add(line)
        return found

    def _headers(self, tokens: Sequence[Token]) -> dict[int, str]:
        """Lines with `#include <...>`, and what they include."""
        found: dict[int, list[str]] = {}
        for t in tokens:
            if t.line in self.directives:
                found.setdefault(t.line, []).append(t.text)
        return {n: "".join(t[2:]) for n, t in found.items() if t[:3] == ["#", "include", "<"]}

    def blank_line(self, line: int) -> None:
        self.lines[line - 1] = b" " * len(self.lines[line - 1])
        del self.headers[line]

    def blank(self, piece: _Piece) -> None:
        first, last = piece.tokens[0], piece.tokens[-1]
        for n in range(first.line, last.line + 1):
            if n not in self.directives:
                line = self.lines[n - 1]
                start, end = first.col - 1 if n == first.line else 0, last.col if n == last.line else len(line)
                self.lines[n - 1] = line[:start] + b" " * (end - start) + line[end:]
        line = self.lines[last.line - 1]
        self.lines[last.line - 1] = line[: last.col - 1] + b";" + line[last.col :]
        self.pieces.remove(piece)


@dataclass(slots=True)
class _Host:
    """Finds what to leave out of a unit."""

    unit: str
    suffix: str
    flags: Sequence[str]
    folder: Path
    files: dict[str, _File] = field(default_factory=dict[str, _File])
    left_out: list[str] = field(default_factory=list[str])
    device: frozenset[str] = frozenset()

    def overlay(self) -> list[str]:
        """Write the files as they are now; returns the flags with which clang sees these."""
        roots: list[dict[str, str]] = []
        for n, (name, file) in enumerate(self.files.items()):
            text = self.folder / f"file{n}"
            text.write_bytes(b"\n".join(file.lines))
            roots.append({"type": "file", "name": name, "external-contents": str(text)})
        table = self.folder / "overlay.json"
        table.write_text(json.dumps({"version": 0, "use-external-names": False, "roots": roots}), encoding="utf-8")
        return ["-ivfsoverlay", str(table)]

    def run(self) -> list[str]:
        """Leave out what can be, until nothing more can; returns the flags."""
        flags = self.overlay()
        for _ in range(_ROUNDS):
            errors = [m for m in diagnose(self.unit, self.suffix, [*self.flags, *flags]) if m.severity == "error"]
            if not self._without_headers(errors) and not self._without_pieces(errors, flags):
                return flags
            flags = self.overlay()
        return flags

    def _file(self, name: str) -> _File:
        if name not in self.files:
            self.files[name] = _File(Path(name))
        return self.files[name]

    def _without_headers(self, errors: Sequence[Message]) -> bool:
        """Leave out the headers of others through which clang came to an error; tells whether there are any."""
        changed = False
        for m in errors:
            if _ours(m.file):
                continue
            for name, line in (*m.via, (m.file, m.line)):
                if not name or _unit(name) or line not in self._file(name).headers:
                    continue
                if (name, line) != (m.file, m.line) or m.text.endswith("file not found"):
                    self.left_out.append(f"#include {self.files[name].headers[line]}")
                    self.files[name].blank_line(line)
                    changed = True
                break
        return changed

    def _without_pieces(self, errors: Sequence[Message], flags: Sequence[str]) -> bool:
        changed = False
        for m in errors:
            if not m.file or _unit(m.file) or _ours(m.file):
                continue
            piece = next((p for p in self._file(m.file).pieces if p.has(m.line, m.col)), None)
            if piece is None:
                continue
            if not self.device:
                self.device = _device_words(macros(self.unit, self.suffix, [*self.flags, *flags]))
            if _host(piece, self.device):
                self.files[m.file].blank(piece)
                first, last = piece.tokens[0].line, piece.tokens[-1].line
                lines = f"line {first}" if first == last else f"lines {first} to {last}"
                self.left_out.append(f"{Path(m.file).name}, {lines}")
                changed = True
        return changed


@contextlib.contextmanager
def without_host(unit: str, suffix: str, flags: Sequence[str]) -> Generator[tuple[list[str], tuple[str, ...]]]:
    """Give the flags with which clang sees the unit without host code in error, and what is left out."""
    with tempfile.TemporaryDirectory(prefix="gpuport-") as tmp:
        host = _Host(unit, suffix, flags, Path(tmp))
        yield host.run(), tuple(host.left_out)


def _ours(file: str) -> bool:
    return Path(file).resolve().is_relative_to(_OURS)


def _unit(file: str) -> bool:
    return Path(file).name.startswith("gpuport_unit")


def _pieces(tokens: Sequence[Token]) -> list[_Piece]:
    """Split tokens into declarations; the braces of namespaces and of `extern "C"` are of none."""
    found: list[_Piece] = []
    current: list[Token] = []
    depth = spaces = 0
    call = False
    for t, following in zip(tokens, [*tokens[1:], None], strict=False):
        current.append(t)
        ends = t.kind == "semi" and depth == 0
        if t.kind == "l_paren":
            call |= depth == 0
        elif t.kind == "l_brace":
            if depth == 0 and _opens_space([c.text for c in current[:-1]]):
                current, spaces = [], spaces + 1
            else:
                depth += 1
        elif t.kind == "r_brace" and depth == 0:
            current, spaces = [], max(spaces - 1, 0)
        elif t.kind == "r_brace":
            depth -= 1
            ends = depth == 0 and call and (following is None or following.kind != "semi")
        if ends:
            found.append(_Piece(tuple(current), spaces))
            current, call = [], False
    return found


def _opens_space(words: list[str]) -> bool:
    return "namespace" in words[:2] or (words[:1] == ["extern"] and len(words) == 2)


def _host(piece: _Piece, device: frozenset[str]) -> bool:
    """Tell whether nothing but an error can come of leaving a declaration out.

    Without a specialisation the template itself would be taken, without a type another one of that name.
    """
    words = [t.text for t in piece.tokens]
    if device.intersection(words) or words[:3] == ["template", "<", ">"]:
        return False
    if words[0] == "template":
        words = words[_template_end(words) :]
    if words[0] in ("struct", "class", "union"):
        head = words[: next((n for n, word in enumerate(words) if word in ("{", ":", ";")), None)]
        return piece.spaces == 0 and "<" not in head
    return words[0] not in ("using", "typedef")


def _template_end(words: list[str]) -> int:
    depth = 0
    for n, word in enumerate(words):
        depth += word.count("<") - (len(word) if not word.strip(">") else 0)
        if n and depth <= 0:
            return n + 1
    return 0


def _device_words(defined: dict[str, list[str]]) -> frozenset[str]:
    """Return the words that mark a declaration as the device's: those of the language, and macros that hold one."""
    found = set(_DEVICE)
    while more := {name for name, body in defined.items() if name not in found and found.intersection(body)}:
        found |= more
    return frozenset(found)
