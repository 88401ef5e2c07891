"""Steps of graph algorithms, and graphs."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np


def pointers(rng: np.random.Generator, rows: int, edges: int) -> np.ndarray:
    """Row pointers of rows with random lengths."""
    return np.concatenate([[0], np.sort(rng.integers(0, edges + 1, rows - 1)), [edges]])


def half_searched(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """A random graph of which some vertices are at the last three distances up to level, the others not reached.

    The last vertex is at level, and its last edge the only one to vertex 0, which is not reached.
    """
    n, edges, level = sizes["vertices"], sizes["edges"], sizes["level"]
    row_ptr = pointers(rng, n, edges)
    neighbours = rng.integers(0, n, edges)
    before = rng.choice([-1, -1, -1, max(level - 2, 0), max(level - 1, 0), level], n)
    if n > 1 and edges:
        row_ptr[:-1] = np.minimum(row_ptr[:-1], edges - 1)
        neighbours = np.append(rng.integers(1, n, edges - 1), 0)
        before[[0, -1]] = -1, level
    return {"row_ptr": row_ptr, "neighbours": neighbours, "before": before}


def ranked(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """In-neighbours, out-degrees that fit them, and positive ranks."""
    n, sources = sizes["n"], rng.integers(0, sizes["n"], sizes["edges"])
    return {
        "in_ptr": pointers(rng, n, sizes["edges"]),
        "in": sources,
        "out_degree": np.bincount(sources, minlength=n),
        "rank": rng.random(n) + 0.01,
    }


def weighted(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Random edges with weights, and distances of which a third is unknown."""
    n, count = sizes["vertices"], sizes["count"]
    start = rng.integers(0, 1000, n)
    start[rng.random(n) < 0.3] = 0x3FFFFFFF
    edges = np.stack(
        [rng.integers(0, n, count), rng.integers(0, n, count), rng.integers(1, 50, count), np.zeros(count)]
    )
    return {"edges": edges.T.astype(np.int64), "from": start}


def sorted_lists(rng: np.random.Generator, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Neighbour lists, sorted, without repeats; the rest of `col` is not used."""
    n, room = sizes["n"], sizes["edges"]
    lists = [np.sort(rng.permutation(n)[: rng.integers(0, room // n + 1)]) for _ in range(n)]
    col = np.zeros(room, np.int64)
    flat = np.concatenate(lists)
    col[: len(flat)] = flat
    return {"row_ptr": np.concatenate([[0], np.cumsum([len(x) for x in lists])]), "col": col}


def bfs_level(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """A level of a search -> dist: level + 1 where it reaches, else -1; reached: how many."""
    before, ptr, level = inputs["before"], inputs["row_ptr"], inputs["level"]
    dist = np.full(inputs["vertices"], -1)
    for v in np.flatnonzero(before == level):
        around = inputs["neighbours"][ptr[v] : ptr[v + 1]]
        dist[around[before[around] < 0]] = level + 1
    return {"dist": dist, "reached": np.array([(dist >= 0).sum()])}


def pagerank_step(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """in_ptr, in, out_degree, rank, damping -> next (n,), delta (1,)."""
    share = inputs["rank"][inputs["in"]] / inputs["out_degree"][inputs["in"]]
    ends, d, n = inputs["in_ptr"], inputs["damping"], inputs["n"]
    sums = np.array([share[a:b].sum() for a, b in itertools.pairwise(ends)])
    after = (1 - d) / n + d * sums
    return {"next": after, "delta": np.array([np.abs(after - inputs["rank"]).sum()])}


def sssp_relax(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """edges (count, 4), from (vertices,) -> to (vertices,)."""
    to = np.full(inputs["vertices"], 0x3FFFFFFF)
    start = inputs["from"][inputs["edges"][:, 0]]
    use = start < 0x3FFFFFFF
    np.minimum.at(to, inputs["edges"][use, 1], start[use] + inputs["edges"][use, 2])
    return {"to": to}


def triangles(inputs: dict[str, Any]) -> dict[str, np.ndarray]:
    """row_ptr, col -> count (n,): for each neighbour, how many neighbours are shared with it."""
    ptr = inputs["row_ptr"]
    lists = [set(inputs["col"][ptr[v] : ptr[v + 1]].tolist()) for v in range(inputs["n"])]
    return {"count": np.array([sum(len(mine & lists[u]) for u in mine) for mine in lists])}
