"""Forces between bodies in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

Arrays = dict[str, np.ndarray]


def body_inputs(rng: np.random.Generator, sizes: dict[str, int]) -> Arrays:
    bodies = rng.standard_normal((sizes["n"], 4))
    bodies[:, 3] = np.abs(bodies[:, 3]) + 0.1
    return {"bodies": bodies.astype(np.float32)}


def gravity(inputs: dict[str, Any]) -> Arrays:
    x, mass = inputs["bodies"][:, :3], inputs["bodies"][:, 3]
    r = x[None] - x[:, None]
    d2 = (r * r).sum(axis=2) + np.float64(np.float32(1e-3))
    a = (r * (mass[None] * d2**-1.5)[..., None]).sum(axis=1)
    return {"acceleration": np.pad(a, ((0, 0), (0, 1)))}


def particle_inputs(rng: np.random.Generator, sizes: dict[str, int]) -> Arrays:
    n, width = sizes["n"], sizes["width"]
    # sites of a 4 x 4 x 4 lattice, 1.5 apart in a box of 6: squared distances of about 2.25, 4.5, 6.75, ...
    sites = rng.permutation(64)[:n]
    lattice = np.stack([sites % 4, sites // 4 % 4, sites // 16], axis=1) * 1.5
    position = (lattice + rng.uniform(-0.02, 0.02, (n, 3))).astype(np.float32)
    neighbours = np.full((width, n), -1, np.int32)
    for i in range(n):
        others = rng.permutation(np.delete(np.arange(n), i))[: rng.integers(0, width + 1)]
        neighbours[: others.size, i] = others
    return {"position": position, "neighbours": neighbours}


def lennard_jones(inputs: dict[str, Any]) -> Arrays:
    x, neighbours, box = inputs["position"], inputs["neighbours"], inputs["box_length"]
    d = x[None] - x[neighbours]
    d = d - box * np.rint(d / box)
    r2 = (d * d).sum(axis=2)
    counts = (neighbours >= 0) & (r2 < inputs["cutoff2"])
    i2 = np.where(counts, 1.0 / np.where(counts, r2, 1.0), 0.0)
    i6 = i2**3
    force = (24.0 * i2 * i6 * (2.0 * i6 - 1.0))[..., None] * d
    return {"force": force.sum(axis=0), "energy": (2.0 * i6 * (i6 - 1.0)).sum(axis=0)}
