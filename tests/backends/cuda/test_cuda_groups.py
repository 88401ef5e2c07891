"""Cooperative groups and asynchronous copies: from CUDA to every destination, against NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from cuda_ports import check, read
from gpuport.backends.base import Launch
from gpuport.ir.diagnostics import Refusal

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
#include <cooperative_groups/scan.h>
namespace cg = cooperative_groups;
template <unsigned N> __device__ int tile_sum(cg::thread_block_tile<N> tile, int v) {
    for (int by = tile.size() / 2; by > 0; by /= 2) v += tile.shfl_down(v, by);
    return tile.shfl(v, 0);
}
__device__ int block_size(cg::thread_block block) { return block.size(); }
"""
T = np.arange(64)
X = (T.astype(np.int32) * 37) % 11 - 3


def tiles(width: int) -> np.ndarray:
    return X.reshape(-1, width)


def spread(values: Any, width: int) -> np.ndarray:
    return np.repeat(np.asarray(values), width)


RANKS = np.concatenate([np.cumsum(w) - w for w in (X > 0).reshape(2, 32)])
COUNTS = np.repeat((X > 0).reshape(2, 32).sum(1), 32)


def before(values: np.ndarray) -> np.ndarray:
    return np.pad(values[:, :-1], ((0, 0), (1, 0)))


def picked(f: Any) -> np.ndarray:
    """What f makes of the positive numbers of each warp, -1 elsewhere."""
    out = np.full(64, -1)
    for w in (slice(0, 32), slice(32, 64)):
        out[w][X[w] > 0] = f(X[w][X[w] > 0].astype(np.int64))
    return out


# the body of k(const int* x, int* y), with v = x[i]
BODIES: dict[str, tuple[str, Any]] = {
    "block": ("auto block = cg::this_thread_block(); __shared__ int s[64]; s[block.thread_rank()] = v; block.sync();"
              " y[i] = s[63 - i] + block.size() + block_size(block) + block.group_index().x;", X[::-1] + 128),
    "sum of a tile": ("cg::thread_block block = cg::this_thread_block(); cg::thread_block_tile<8> t = cg::tiled_partition<8>(block);"
                      " y[i] = tile_sum<8>(t, v);", spread(tiles(8).sum(1), 8)),
    "ranks": ("auto t = cg::tiled_partition<16>(cg::this_thread_block()); y[i] = t.thread_rank() + 100 * t.meta_group_rank() + 1000 * t.size();",
              T % 16 + 100 * (T // 16) + 16000),
    "votes": ("auto t = cg::tiled_partition<4>(cg::this_thread_block()); y[i] = t.any(v > 5) + 2 * t.all(v > -3) + 4 * (int)t.ballot(v > 0);",
              spread((tiles(4) > 5).any(1) + 2 * (tiles(4) > -3).all(1) + 4 * ((tiles(4) > 0) * [1, 2, 4, 8]).sum(1), 4)),
    "reduce": ("auto t = cg::tiled_partition<32>(cg::this_thread_block());"
               " y[i] = cg::reduce(t, v, cg::plus<int>()) + 100 * cg::reduce(t, v, cg::greater<int>()) + 1000 * cg::reduce(t, v, cg::less<int>());",
               spread(tiles(32).sum(1) + 100 * tiles(32).max(1) + 1000 * tiles(32).min(1), 32)),
    "one tile alone": ("auto t = cg::tiled_partition<16>(cg::this_thread_block()); if (t.meta_group_rank() == 1) { v = cg::reduce(t, v, cg::plus<int>());"
                       " t.sync(); y[i] = v; }", np.where(T // 16 == 1, X[16:32].sum(), -1)),
    "scan": ("auto t = cg::tiled_partition<16>(cg::this_thread_block()); y[i] = cg::inclusive_scan(t, v) * 100 + cg::exclusive_scan(t, v);",
             (tiles(16).cumsum(1) * 100 + tiles(16).cumsum(1) - tiles(16)).ravel()),
    "scan with an operator": ("auto t = cg::tiled_partition<8>(cg::this_thread_block()); y[i] = 100 * cg::inclusive_scan(t, v, cg::greater<int>())"
                              " + cg::exclusive_scan(t, v & 7, cg::bit_or<int>());",
                              (100 * np.maximum.accumulate(tiles(8), 1) + before(np.bitwise_or.accumulate(tiles(8) & 7, 1))).ravel()),
    "coalesced ranks": ("if (v > 0) { auto g = cg::coalesced_threads(); y[i] = g.thread_rank() + 100 * g.size(); }",
                        np.where(X > 0, RANKS + 100 * COUNTS, -1)),
    "coalesced exchange": ("if (v > 0) { auto g = cg::coalesced_threads(); y[i] = g.shfl(v, 0) + 100 * g.shfl(v, 2) + 10000 * g.shfl_down(v, 1) + 1000000 * g.shfl_up(v, 3); }",
                           picked(lambda m: m[0] + 100 * m[2] + 10000 * np.append(m[1:], m[-1]) + 1000000 * np.append(m[:3], m[:-3]))),
    "coalesced votes": ("if (v > 0) { auto g = cg::coalesced_threads(); g.sync(); y[i] = g.any(v > 6) + 2 * g.all(v > 1) + 4 * (int)g.ballot(v > 3); }",
                        picked(lambda m: (m > 6).any() + 2 * (m > 1).all() + 4 * ((m > 3) << np.arange(m.size)).sum() + 0 * m)),
    "coalesced reduce": ("if (v > 0) { const auto g = cg::coalesced_threads(); y[i] = cg::reduce(g, v, cg::plus<int>()) + 1000 * cg::reduce(g, v, cg::greater<int>()); }",
                         picked(lambda m: m.sum() + 1000 * m.max() + 0 * m)),
    "coalesced scan": ("if (v > 0) { const auto g = cg::coalesced_threads(); y[i] = cg::inclusive_scan(g, v) + 1000 * cg::exclusive_scan(g, v); }",
                       picked(lambda m: 1001 * m.cumsum() - 1000 * m)),
    "atomics of one for all": ("__shared__ int n; if (i == 0) n = 0; __syncthreads(); if (v > 0) { auto g = cg::coalesced_threads(); int at = 0;"
                               " if (g.thread_rank() == 0) at = atomicAdd(&n, (int)g.size()); at = g.shfl(at, 0) + g.thread_rank(); atomicAdd(&y[at], v + 1 - v); }"
                               " __syncthreads(); if (i == 63) y[63] = n;", np.where(T == 63, (X > 0).sum(), np.where((X > 0).sum() > T, 0, -1))),
    "binary partition": ("auto t = cg::tiled_partition<16>(cg::this_thread_block()); auto g = cg::binary_partition(t, v > 0); y[i] = g.size() + 100 * cg::reduce(g, v, cg::plus<int>());",
                         [(np.count_nonzero(s) + 100 * r[s].sum()) for r in tiles(16) for e in r for s in [(r > 0) == (e > 0)]]),
    "labeled partition": ("auto t = cg::tiled_partition<32>(cg::this_thread_block()); auto g = cg::labeled_partition(t, v & 3); y[i] = g.thread_rank() + 100 * g.size();",
                          [np.count_nonzero((r[:k] & 3) == (e & 3)) + 100 * np.count_nonzero((r & 3) == (e & 3)) for r in tiles(32) for k, e in enumerate(r)]),
    "tile of a size at run time": ("cg::thread_group t = cg::tiled_partition(cg::this_thread_block(), x[1] > 100 ? 8 : 16); y[i] = t.thread_rank() + 100 * t.size()"
                                   " + 10000 * t.shfl(i, 3); t.sync();", T % 16 + 1600 + 10000 * (T // 16 * 16 + 3)),
    "grid rank": ("auto g = cg::this_grid(); y[i] = (int)g.thread_rank() + (int)g.size();", T + 64),
}  # fmt: skip


def source(tmp_path: Path, body: str) -> Any:
    return read(
        tmp_path,
        f"{HEAD}__global__ void k(const int* x, int* y) {{\n  const int i = threadIdx.x; int v = x[i];\n  {body}\n}}",
    )


@pytest.mark.parametrize("name", BODIES)
def test_groups(tmp_path: Path, name: str) -> None:
    body, expected = BODIES[name]
    args = {"x": X, "y": np.full(64, -1, np.int32)}
    check(source(tmp_path, body), args, {"x": "in", "y": "inout"}, Launch((1, 1, 1), (64, 1, 1)), {"y": expected})


REFUSED = {
    "grid sync": ("cg::this_grid().sync(); y[i] = v;", "grid"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_groups_are_refused_at_their_line(tmp_path: Path, name: str) -> None:
    body, why = REFUSED[name]
    with pytest.raises(Refusal) as refusal:
        source(tmp_path, body)
    first = refusal.value.diagnostics[0]
    assert (first.number, first.loc and first.loc.file, first.loc and first.loc.line) == ("GP1104", "k.cu", 12)
    assert why in first.message
