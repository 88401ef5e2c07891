"""Timing for probes: warm up, repeat, take the median."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def median_wall(run: Callable[[], None], repeats: int, warm_up: int = 3) -> float:
    """Median wall-clock seconds of `run`, which must wait for the device itself."""
    for _ in range(warm_up):
        run()
    times: list[float] = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def median_of(sample: Callable[[], float], repeats: int, warm_up: int = 2) -> float:
    """Median of `sample()`, which returns the seconds that the device itself reports."""
    for _ in range(warm_up):
        sample()
    return statistics.median(sample() for _ in range(repeats))
