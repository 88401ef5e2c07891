"""What a worker answers, as bytes: JSON and the raw contents of buffers, so that the parent executes nothing of it.

A frame is its length (8 bytes, little-endian) and a body. A request's body is a pickle: the worker trusts its parent.
An answer's body is the length of its JSON (4 bytes), the JSON, and one blob after the other.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ..ir.nodes import Loc
from .base import Finding, RunResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

LENGTH_BYTES: Final = 8
_HEAD_BYTES: Final = 4


class WireError(ValueError):
    """An answer that is none: a kernel that ran in the worker may have written into its pipe or its memory."""


def frame(*parts: bytes | memoryview) -> list[bytes | memoryview]:
    """Put the length in front of the parts of a body."""
    return [sum(len(p) for p in parts).to_bytes(LENGTH_BYTES, "little"), *parts]


def answer(kind: str, blobs: Sequence[memoryview] = (), **fields: Any) -> list[bytes | memoryview]:
    """Return the frame of an answer: its kind and fields as JSON, then the blobs."""
    head = json.dumps({"kind": kind, **fields, "blobs": [len(b) for b in blobs]}).encode()
    return frame(len(head).to_bytes(_HEAD_BYTES, "little"), head, *blobs)


def read_answer(body: bytes | bytearray | memoryview) -> tuple[dict[str, Any], list[memoryview]]:
    """Return the fields and the blobs of an answer's body. Raises WireError."""
    view = memoryview(body)
    end = _HEAD_BYTES + int.from_bytes(view[:_HEAD_BYTES], "little")
    try:
        fields: Any = json.loads(bytes(view[_HEAD_BYTES:end]))
        lengths = [int(n) for n in fields.pop("blobs")]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise WireError("no JSON head") from None
    if not isinstance(fields.get("kind"), str):
        raise WireError("no kind")
    blobs: list[memoryview] = []
    for length in lengths:
        blobs.append(view[end : end + length])
        end += length
    if any(n < 0 for n in lengths) or end != len(view):
        raise WireError("blobs of other lengths than announced")
    return fields, blobs


def result_answer(result: RunResult) -> list[bytes | memoryview]:
    """Return the answer that holds the result of a run."""
    import numpy as np

    blobs = [np.ascontiguousarray(a).reshape(-1).view(np.uint8).data for a in result.buffers.values()]
    findings = [
        [f.kind, f.message, [f.loc.file, f.loc.line, f.loc.col] if f.loc else None, f.buffer, f.element, f.threads]
        for f in result.findings
    ]
    return answer(
        "done",
        blobs,
        buffers=list(result.buffers),
        damaged_guards=result.damaged_guards,
        findings=findings,
        seconds=[float(s) for s in result.seconds],
        guards_checked=result.guards_checked,
        device=result.device,
        timing=result.timing,
    )


def read_result(fields: Mapping[str, Any], blobs: Sequence[memoryview], sent: Mapping[str, Any]) -> RunResult:
    """Return the result of a run whose buffer arguments were `sent`: their names, types and sizes must be the same.

    Raises WireError.
    """
    try:
        found = dict(zip(_texts(fields["buffers"]), blobs, strict=True))
        if found.keys() != sent.keys() or any(len(found[n]) != sent[n].nbytes for n in sent):
            raise WireError("other buffers than the kernel has")
        return RunResult(
            buffers={n: _array(found[n], a) for n, a in sent.items()},
            damaged_guards=_texts(fields["damaged_guards"]),
            findings=[_finding(*f) for f in fields["findings"]],
            seconds=[float(s) for s in fields["seconds"]],
            guards_checked=fields["guards_checked"] is True,
            device=str(fields["device"]),
            timing=str(fields["timing"]),
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise error if isinstance(error, WireError) else WireError(f"no result of a run: {error}") from None


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise TypeError("expected a list of texts")
    return [str(item) for item in value]  # pyright: ignore[reportUnknownVariableType]


def _finding(kind: Any, message: Any, at: Any, buffer: Any, element: Any, threads: Any) -> Finding:
    return Finding(
        str(kind),
        str(message),
        _loc(at),
        str(buffer),
        None if element is None else int(element),
        tuple(_texts(threads)),
    )


def _loc(at: Any) -> Loc | None:
    return Loc(str(at[0]), int(at[1]), int(at[2])) if at else None


def _array(blob: memoryview, like: np.ndarray) -> np.ndarray:
    import numpy as np

    array = np.empty(like.size, like.dtype)  # a copy, because a blob is not aligned
    array.view(np.uint8)[:] = blob
    return array
