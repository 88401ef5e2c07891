"""Prints the time of emulated runs, all checks on; with the argument `bounds`, in the bounds domain."""

from __future__ import annotations

import sys
import time

import numpy as np
from emu_build import run
from emu_kernels import histogram, sgemm, softmax


def main() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=128 * 128).astype(np.float32)
    x = rng.normal(size=128 * 1024).astype(np.float32)
    h = rng.integers(0, 256, 1_000_000).astype(np.int32)
    cases = {
        "sgemm 128x128x128, tiles of 16": (
            sgemm(), {"a": a, "b": a, "o": a, "M": 128, "N": 128, "K": 128}, (8, 8), (16, 16)),
        "softmax 128x1024, 256 threads": (softmax(), {"x": x, "o": x, "cols": 1024}, 128, 256),
        "histogram 1e6 over 256 bins": (histogram(), {"x": h, "io": np.zeros(256, np.int32), "n": h.size}, 64, 256),
    }  # fmt: skip
    for name, (prog, args, grid, block) in cases.items():
        extra = {}
        if "bounds" in sys.argv:
            from gpuport.backends.emulator import BoundsDomain

            extra = {"domain": BoundsDomain()}
        times: list[float] = []
        for _ in range(3):
            start = time.perf_counter()
            got = run(prog, args, grid, block, **extra)
            times.append(time.perf_counter() - start)
        print(f"{name:34} {min(times):.3f} s   {len(got.findings)} findings")


if __name__ == "__main__":
    main()
