"""Bounds on what a server may send: none of its answers can take more memory or time than was allowed."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, Final, TypeVar

import httpx

from .errors import NoAnswer, OutOfBudget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Value = TypeVar("Value")

MOST_BYTES: Final = 16 << 20
_GLANCE: Final = 0.25  # seconds between two looks at whether to go on


class Bounded(httpx.SyncByteStream):
    """A response's body that ends in NoAnswer after MOST_BYTES or `seconds`, whatever it consists of."""

    def __init__(self, inner: httpx.SyncByteStream, seconds: float) -> None:
        self._inner, self._seconds = inner, seconds
        self._deadline = time.monotonic() + seconds

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for part in self._inner:
            size += len(part)
            if size > MOST_BYTES:
                raise NoAnswer(f"the answer is longer than {MOST_BYTES >> 20} MiB")
            if time.monotonic() > self._deadline:
                raise NoAnswer(f"the answer did not end within {self._seconds:g} s")
            yield part

    def close(self) -> None:
        """Close the connection's side of it."""
        self._inner.close()


def bounding(seconds: float) -> Callable[[httpx.Response], None]:
    """Return a hook for httpx that bounds each response. A compressed one is not read: it has no bound."""

    def hook(response: httpx.Response) -> None:
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise NoAnswer("the answer is compressed, which was not asked for")
        assert isinstance(response.stream, httpx.SyncByteStream)
        response.stream = Bounded(response.stream, seconds)

    return hook


def within(seconds: float, call: Callable[[], Value], why: str, cancelled: threading.Event) -> Value:
    """Return what `call` returns; raises NoAnswer(why) if it takes longer: a server may drip its headers for ever.

    Raises OutOfBudget soon after `cancelled` is set.

    The thread that waits for such a server is left behind; it holds nothing but its connection.
    """
    box: queue.SimpleQueue[tuple[Value | None, BaseException | None]] = queue.SimpleQueue()

    def work() -> None:
        try:
            box.put((call(), None))
        except BaseException as error:  # handed to the caller's thread
            box.put((None, error))

    threading.Thread(target=work, daemon=True).start()
    deadline = time.monotonic() + seconds
    while True:
        try:
            value, error = box.get(timeout=max(0.0, min(_GLANCE, deadline - time.monotonic())))
            break
        except queue.Empty:
            if cancelled.is_set():
                raise OutOfBudget("interrupted") from None
            if time.monotonic() >= deadline:
                raise NoAnswer(why) from None
    if error is not None:
        raise error
    return value  # pyright: ignore[reportReturnType]
