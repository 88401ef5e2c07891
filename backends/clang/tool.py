"""Find clang and run it on one translation unit: the JSON AST, the diagnostics, the comments."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ...hwmodels.errors import GpuportError
from ...ir.diagnostics import refuse
from .pruning import pruned
from .rounding import mark_unfused

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from .pruning import Start

TIME_LIMIT = 60.0
_MOST_BYTES = 256 << 20  # of a syntax tree; Python holds about ten times as much for it
_CHECKED = ("-fsyntax-only", "-ferror-limit=50", "-fno-caret-diagnostics", "-fno-color-diagnostics")
_TOO_DEEP = b"\n" + b" " * 1800  # 900 levels of JSON; Python's reader ends before 1000


class ClangError(GpuportError):
    """clang could not be started, or gave no answer in time."""


@dataclass(frozen=True, slots=True)
class Message:
    """One diagnostic of clang: where (file, line and column from 1; line 0 for none), kind, text.

    `via` are the includes, file and line, through which clang came there, outermost first. `ranges` is what it is
    about, each from a line and column to behind a line and column, where clang was asked to print that.
    """

    file: str
    line: int
    col: int
    severity: str
    text: str
    via: tuple[tuple[str, int], ...] = ()
    ranges: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = ()


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment of a source file, with its first and last line and its column, from 1."""

    text: str
    line: int
    end_line: int
    col: int


@cache
def clang_command() -> tuple[str, ...]:
    """Return the command that runs clang: `GPUPORT_CLANG`, or the clang inside the `ziglang` package.

    Raises ClangError if neither is there.
    """
    named = os.environ.get("GPUPORT_CLANG")
    if named:
        return (named,)
    spec = find_spec("ziglang")
    if spec is None or not spec.submodule_search_locations:
        raise ClangError("no clang: install the package ziglang, or name a clang >= 16 in GPUPORT_CLANG")
    zig = Path(next(iter(spec.submodule_search_locations))) / ("zig.exe" if sys.platform == "win32" else "zig")
    return (str(zig), "clang")


@cache
def clang_version() -> str:
    """Return the first line of `clang --version`."""
    return _run(["--version"]).stdout.splitlines()[0]


_HIDDEN: Final = re.compile(
    rb'"kind": "((?:Constructor|Destructor|Alias|IFunc|Weak\w*|Section|Cleanup|InitPriority|Naked)Attr'
    rb'|FileScopeAsmDecl)"'
)
"""What says when code runs, by which name it is known or where it lies, beyond what a reader of functions sees."""


def parse(unit: str, suffix: str, flags: Sequence[str], *, prune: bool = False) -> tuple[dict[str, Any], list[Message]]:
    """Parse a translation unit given as text.

    Returns the AST (clang's JSON, file and line of every location filled in) and the errors and warnings; with `prune`
    without what `pruning.pruned` leaves out, which pays where our header has thousands of functions.
    Raises ClangError if clang itself fails without a diagnostic, Refusal GP1109 for a tree that is too deep.
    """
    with _written(unit, suffix) as path:
        tree, said = _tree([*flags, *_CHECKED, "-Xclang", "-ast-dump=json", path])
        messages = _messages(said)
        if not tree.startswith(b"{"):
            if not any(m.severity == "error" for m in messages):
                raise ClangError(f"clang gave no syntax tree: {said.strip()[:400] or 'no message'}")
            return {}, messages
        if hidden := _HIDDEN.search(tree):  # in the tree, as macros can hide it from any look at the text
            raise refuse("GP1102", f"a kernel may hold no {hidden[1].decode()}")
        tree, starts = pruned(tree) if prune else (tree, None)
        try:
            ast: dict[str, Any] = json.loads(tree.decode(errors="replace"))
        except RecursionError:
            raise refuse("GP1109", "the source is nested too deeply to be read") from None
        except ValueError as error:
            raise ClangError(f"clang's syntax tree cannot be read: {error}") from None
    fill_locations(ast, starts)
    if b'"FPContractMode"' in tree:
        mark_unfused(ast)
    return ast, messages


def diagnose(unit: str, suffix: str, flags: Sequence[str]) -> list[Message]:
    """Return the errors and warnings of a translation unit given as text; without the tree, which takes longer."""
    with _written(unit, suffix) as path:
        return _messages(_run([*flags, *_CHECKED, path]).stderr)


def macros(unit: str, suffix: str, flags: Sequence[str]) -> dict[str, list[str]]:
    """Return the macros defined at a unit's end, each with the words of its parameters and body."""
    with _written(unit, suffix) as path, tempfile.TemporaryDirectory(prefix="gpuport-") as tmp:
        listed = Path(tmp) / "macros.h"
        listed.write_text(_run([*flags, "-E", "-dM", path]).stdout, encoding="utf-8")
        words: dict[int, list[str]] = {}
        for token in raw_tokens(listed):
            words.setdefault(token.line, []).append(token.text)
    return {line[2]: line[3:] for line in words.values() if line[:2] == ["#", "define"]}


@contextlib.contextmanager
def without_collector() -> Generator[None]:
    """Pause Python's collector of cycles, which would look through a growing tree again and again."""
    ran = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if ran:
            gc.enable()


@contextlib.contextmanager
def _written(unit: str, suffix: str) -> Generator[str]:
    with tempfile.TemporaryDirectory(prefix="gpuport-") as tmp:
        path = Path(tmp) / f"gpuport_unit{suffix}"
        path.write_text(unit, encoding="utf-8")
        yield str(path)


@dataclass(frozen=True, slots=True)
class Token:
    """A token of clang's lexer before preprocessing: its kind, text, and line and column from 1."""

    kind: str
    text: str
    line: int
    col: int


def raw_tokens(path: Path) -> list[Token]:
    """Return the tokens of a file as clang's lexer finds them, comments among them, white space left out."""
    done = _run(["-cc1", "-dump-raw-tokens", "-x", "c++", str(path)])
    pattern = re.compile(r"^(\w+) '(.*?)'\t.*?Loc=<.*?:(\d+):(\d+)>$", re.MULTILINE | re.DOTALL)
    found = (Token(m[1], m[2], int(m[3]), int(m[4])) for m in pattern.finditer(done.stderr))
    return [t for t in found if t.text.strip()]


def comments(path: Path) -> list[Comment]:
    """Return the comments of a file in order; strings are no trap."""
    found: list[Comment] = []
    for token in raw_tokens(path):
        if token.kind == "comment":
            text = "\n".join(part.rstrip() for part in token.text.split("\n"))
            found.append(Comment(text, token.line, token.line + text.count("\n"), token.col))
    return found


def _run(args: Sequence[str]) -> subprocess.CompletedProcess[str]:
    command = [*clang_command(), *args]
    try:
        return subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", timeout=TIME_LIMIT, check=False
        )
    except OSError as error:
        raise ClangError(f"clang cannot be started ({command[0]}): {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise ClangError(f"clang gave no answer in {TIME_LIMIT:.0f} s") from None


def _tree(args: Sequence[str]) -> tuple[bytes, str]:
    """Run clang for its syntax tree; returns what it printed and its messages.

    clang indents by depth, so that a tree takes memory by the square of its depth: one that is too deep is not read to
    its end.
    """
    command = [*clang_command(), *args]
    found = bytearray()
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
        except OSError as error:
            raise ClangError(f"clang cannot be started ({command[0]}): {error.strerror}") from None
        timer = threading.Timer(TIME_LIMIT, process.kill)
        timer.start()
        try:
            assert process.stdout is not None
            with process.stdout as pipe:
                while chunk := pipe.read(1 << 20):
                    start = max(0, len(found) - len(_TOO_DEEP))
                    found += chunk
                    if found.find(_TOO_DEEP, start) >= 0:
                        raise refuse("GP1109", "the source is nested too deeply to be read")
                    if len(found) > _MOST_BYTES:
                        raise refuse("GP1109", "the source expands to too large a program to be read")
            process.wait()
        finally:
            late = not timer.is_alive()
            timer.cancel()
            process.kill()
            process.wait()
        if late:
            raise ClangError(f"clang gave no answer in {TIME_LIMIT:.0f} s")
        errors.seek(0)
        return bytes(found), errors.read().decode(errors="replace")


def _messages(stderr: str) -> list[Message]:
    pattern = re.compile(r"^(?:(.+?):(\d+):(\d+):((?:\{[\d:-]+\})*:)? )?(fatal error|error|warning): (.*)$")
    ranged = re.compile(r"\{(\d+):(\d+)-(\d+):(\d+)\}")
    included = re.compile(r"^(?:In file included from|                 from) (.+?):(\d+)[:,]$")
    out: list[Message] = []
    via: dict[str, tuple[tuple[str, int], ...]] = {}  # clang says it once for the messages of a file
    chain: list[tuple[str, int]] = []
    for line in stderr.splitlines():
        if match := included.match(line):
            chain.append((match[1], int(match[2])))
        elif match := pattern.match(line):
            file = match[1] or ""
            if chain:
                via[file], chain = tuple(chain), []
            severity = "error" if "error" in match[5] else "warning"
            numbers = (tuple(map(int, m)) for m in ranged.findall(match[4] or ""))
            spans = tuple(((a, b), (c, d)) for a, b, c, d in numbers)
            where = (file, int(match[2] or 0), int(match[3] or 0))
            out.append(Message(*where, severity, match[6], via.get(file, ()), spans))
    return out


def fill_locations(ast: dict[str, Any], starts: Sequence[Start] | None = None) -> None:
    """Fill in `file` and `line` of every location: clang prints each only where it differs from the one before.

    starts: what the one before is for each declaration of the unit, where some are left out.
    """
    last: dict[str, Any] = {"file": "", "line": 0}

    def bare(loc: dict[str, Any]) -> None:
        if "offset" not in loc:
            return
        for key in ("file", "line"):
            if key in loc:
                last[key] = loc[key]
            else:
                loc[key] = last[key]

    def location(loc: dict[str, Any]) -> None:
        if "spellingLoc" in loc:
            bare(loc["spellingLoc"])
            bare(loc["expansionLoc"])
        else:
            bare(loc)

    at = {id(node): start for node, start in zip(ast.get("inner", ()), starts or (), strict=False)}
    stack: list[dict[str, Any]] = [ast]
    while stack:
        node = stack.pop()
        if at and (start := at.get(id(node))):
            last["file"], last["line"] = start
        if "loc" in node:
            location(node["loc"])
        if "range" in node:
            location(node["range"].get("begin", {}))
            location(node["range"].get("end", {}))
        stack.extend(reversed(node.get("inner", ())))
        stack.extend(reversed(node.get("array_filler", ())))
