"""Source code for pages: coloured lines of HTML, and two sources laid side by side."""

from __future__ import annotations

import html
import re
from collections import Counter
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any, Final

Token = tuple[str, str]  # class for the page ("" for plain text), text

_LEXERS: Final = {"cuda": "cuda", "hip": "cuda", "opencl": "c", "metal": "cpp", "triton": "python", "python": "python"}
# what a GPU language adds to C, which the lexers do not know
_QUALIFIERS: Final = frozenset(
    (
        *("__global", "__local", "__constant", "__private", "__kernel", "kernel", "device", "threadgroup", "constant"),
        *("thread", "__global__", "__device__", "__shared__", "__constant__", "__restrict__", "restrict"),
        *("__forceinline__", "__launch_bounds__", "__attribute__"),
    )
)
_SIMT: Final = re.compile(
    r"(threadIdx|blockIdx|blockDim|gridDim|__sync\w+|__shfl\w+|__ballot\w*|atomic\w*|get_(local|group|global|num|sub)\w*"
    r"|barrier|work_group_\w+|sub_group_\w+|simd_\w+|threadgroup_\w+|thread_\w+_in_\w+|threads_per_\w+|simdgroup_\w+|gp_\w+)"
)
_VECTOR: Final = re.compile(
    r"(u?(char|short|int|long)|float|half|double|bfloat)(2|3|4|8|16)|u(char|short|int|long)|half|size_t"
)
_WORD: Final = re.compile(r"\w+|[^\w\s]")
_MAX_PAIRS: Final = 200_000


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a source: number from 1, its text, its tokens."""

    number: int
    text: str
    tokens: tuple[Token, ...]


@dataclass(slots=True)
class Row:
    """A row of the side-by-side view; kind is same, changed, added (right only) or removed (left only)."""

    left: Line | None
    right: Line | None
    left_html: str = ""
    right_html: str = ""
    notes: list[Any] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """How the right side relates to the left."""
        if self.left is None:
            return "added"
        if self.right is None:
            return "removed"
        return "same" if _plain(self.left.text) == _plain(self.right.text) else "changed"


def lines(text: str, language: str) -> list[Line]:
    """Split a source into lines of tokens; a language without a lexer stays uncoloured."""
    rows: list[list[Token]] = [[]]
    for kind, value in _tokens(text, language):
        first, *rest = value.split("\n")
        rows[-1].append((kind, first))
        for part in rest:
            rows.append([(kind, part)])
    numbered: list[Line] = []
    for i, row in enumerate(rows, 1):
        tokens = tuple(t for t in row if t[1])
        numbered.append(Line(i, "".join(t for _, t in tokens), tokens))
    while numbered and not numbered[-1].text.strip():
        numbered.pop()
    return numbered


def to_html(line: Line, changed: frozenset[int] = frozenset()) -> str:
    """A line as HTML, every character of it escaped; tokens whose index is in `changed` are marked."""
    parts: list[str] = []
    for i, (kind, value) in enumerate(line.tokens):
        classes = " ".join(c for c in (kind, "x" if i in changed else "") if c)
        text = html.escape(value)
        parts.append(f'<span class="{classes}">{text}</span>' if classes else text)
    return "".join(parts)


def side_by_side(left: list[Line], right: list[Line]) -> list[Row]:
    """Pair the lines of two sources: equal lines first, then like ones; order is kept on both sides."""
    rows: list[Row] = []
    matcher = SequenceMatcher(None, [_plain(a.text) for a in left], [_plain(b.text) for b in right], autojunk=False)
    for op, i1, i2, j1, j2 in matcher.get_opcodes():
        if op == "equal":
            rows.extend(Row(a, b) for a, b in zip(left[i1:i2], right[j1:j2], strict=True))
        else:
            rows.extend(_align(left[i1:i2], right[j1:j2]))
    for row in rows:
        row.left_html = to_html(row.left) if row.left else ""
        row.right_html = to_html(row.right, _changed(row)) if row.right else ""
    return rows


def _tokens(text: str, language: str) -> list[Token]:
    from pygments import token
    from pygments.lexers import get_lexer_by_name

    name = _LEXERS.get(language)
    if name is None:
        return [("", text)]
    classes = (
        (token.Comment.Preproc, "pp"),
        (token.Comment.PreprocFile, "pp"),
        (token.Comment, "c"),
        (token.Keyword.Type, "t"),
        (token.Keyword, "k"),
        (token.Literal.String, "s"),
        (token.Literal.Number, "n"),
    )
    found: list[Token] = []
    # the lexers need a line break behind a comment; `lines` drops the empty line after it
    for kind, value in get_lexer_by_name(name, stripnl=False, ensurenl=False).get_tokens(text + "\n"):
        css = next((c for parent, c in classes if kind in parent), "")
        if value in _QUALIFIERS:
            css = "k"
        elif css in ("", "k") and _SIMT.fullmatch(value):
            css = "g"
        elif css == "" and _VECTOR.fullmatch(value):
            css = "t"
        found.append((css, value))
    return found


def _plain(text: str) -> str:
    return " ".join(text.split())


def _likeness(a: Counter[str], b: Counter[str]) -> float:
    total = a.total() + b.total()
    return 2 * (a & b).total() / total if total else 0.0


def _align(left: list[Line], right: list[Line]) -> list[Row]:
    """Needleman-Wunsch over the likeness of lines (Dice's coefficient over words).

    Unlike lines are paired only where as many stand on the left as on the right.
    """
    if not left or not right or len(left) * len(right) > _MAX_PAIRS:
        return _zip(left, right)
    words = [[Counter(_WORD.findall(line.text)) for line in side] for side in (left, right)]
    score = [[0.0] * (len(right) + 1) for _ in range(len(left) + 1)]
    like = [[0.0] * len(right) for _ in left]
    for i in range(len(left) - 1, -1, -1):
        for j in range(len(right) - 1, -1, -1):
            same = _likeness(words[0][i], words[1][j])
            like[i][j] = same if same >= 0.5 else 0.0
            pair = score[i + 1][j + 1] + like[i][j] if like[i][j] else 0.0
            score[i][j] = max(pair, score[i + 1][j], score[i][j + 1])
    rows: list[Row] = []
    i = j = i0 = j0 = 0
    while i < len(left) and j < len(right):
        if like[i][j] and score[i][j] == score[i + 1][j + 1] + like[i][j]:
            rows += [*_zip(left[i0:i], right[j0:j]), Row(left[i], right[j])]
            i, j = i + 1, j + 1
            i0, j0 = i, j
        elif score[i][j] == score[i + 1][j]:
            i += 1
        else:
            j += 1
    return rows + _zip(left[i0:], right[j0:])


def _zip(left: list[Line], right: list[Line]) -> list[Row]:
    if len(left) == len(right):
        return [Row(a, b) for a, b in zip(left, right, strict=True)]
    return [*(Row(a, None) for a in left), *(Row(None, b) for b in right)]


def _changed(row: Row) -> frozenset[int]:
    if row.kind != "changed" or row.left is None or row.right is None:
        return frozenset()
    right = [i for i, (_, t) in enumerate(row.right.tokens) if t.strip()]
    matcher = SequenceMatcher(
        None,
        [t for _, t in row.left.tokens if t.strip()],
        [row.right.tokens[i][1] for i in right],
        autojunk=False,
    )
    changes = (op for op in matcher.get_opcodes() if op[0] in ("replace", "insert"))
    return frozenset(i for _, _, _, j1, j2 in changes for i in right[j1:j2])
