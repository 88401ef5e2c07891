"""Leave out of clang's JSON what nothing refers to: declarations of our headers make up nearly all of it."""

from __future__ import annotations

import json
import re
from typing import Final, TypeAlias

_BETWEEN: Final = b"\n    },\n    {\n"  # two declarations of a unit: no string in JSON has a line break
_FUNCTION: Final = re.compile(rb'\s*"id": "(0x[0-9a-f]+)",\s*"kind": "FunctionDecl",')
_ID: Final = re.compile(rb"0x[0-9a-f]+")
_FILE: Final = re.compile(rb'"file": ("(?:[^"\\]|\\.)*")')
_LINE: Final = re.compile(rb'"line": (\d+)')
_HEADER: Final = re.compile(rb'[/\\"]gpuport_\w+\.h"$')

Start: TypeAlias = "tuple[str, int]"
"""File and line of the last location before a declaration: clang prints them only where they change."""


def pruned(tree: bytes) -> tuple[bytes, list[Start]]:
    """Leave out the functions of our headers that have no body and that nothing refers to.

    Returns the JSON, and the start of each declaration that is left.
    """
    parts = tree.split(_BETWEEN)
    starts: list[tuple[bytes, int]] = []
    spare: dict[bytes, int] = {}
    file, line = b'""', 0
    for i, part in enumerate(parts):
        starts.append((file, line))
        file, line = _last_file(part) or file, _last_line(part) or line
        found = _FUNCTION.match(part)
        if found and 0 < i < len(parts) - 1 and _HEADER.search(file) and b'"CompoundStmt"' not in part:
            spare[found[1]] = i
    used: set[bytes] = set()
    for i in set(range(len(parts))).difference(spare.values()):
        used.update(_ID.findall(parts[i]))
    while again := used & spare.keys():  # these refer to earlier declarations of theirs
        for name in again:
            used.update(_ID.findall(parts[spare.pop(name)]))
    gone = set(spare.values())
    kept = [i for i in range(len(parts)) if i not in gone]
    return _BETWEEN.join(parts[i] for i in kept), [(json.loads(starts[i][0]), starts[i][1]) for i in kept]


def _last_file(part: bytes) -> bytes:
    """The last file of a location, a JSON string; b"" for none."""
    at = part.rfind(b'"file": "')
    while at >= 0:
        if not part[max(at - 200, 0) : at].rstrip().endswith(b'"includedFrom": {'):
            found = _FILE.match(part, at)
            return found[1] if found else b""
        at = part.rfind(b'"file": "', 0, at)
    return b""


def _last_line(part: bytes) -> int:
    found = _LINE.match(part, max(part.rfind(b'"line": '), 0))
    return int(found[1]) if found else 0
