"""Cooperative groups and asynchronous copies: from CUDA to every destination, against NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from gpuport.backends.base import Launch
from gpuport.backends.clike.plan import WritePlan
from gpuport.backends.emulator import emulate
from gpuport.backends.readers import read_source, read_text
from gpuport.hwmodels import load_machine
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.rewrites.spaces import resolve_spaces
from gpuport.ir.validate import validate
from gpuport.porting.specialise import specialise

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
#include <cuda_pipeline.h>
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
    "memcpy_async": ("__shared__ int s[64]; auto b = cg::this_thread_block(); cg::memcpy_async(b, s, x, sizeof(int) * 64); cg::wait(b); y[i] = s[i ^ 1];",
                     X[T ^ 1]),
    "pipeline": ("__shared__ int s[64]; __pipeline_memcpy_async(&s[i], &x[i], sizeof(int)); __pipeline_commit(); __pipeline_wait_prior(0);"
                 " __syncthreads(); y[i] = s[i ^ 1];", X[T ^ 1]),
    "grid rank": ("auto g = cg::this_grid(); y[i] = (int)g.thread_rank() + (int)g.size();", T + 64),
}  # fmt: skip


def source(tmp_path: Path, body: str) -> Any:
    path = tmp_path / "k.cu"
    path.write_text(
        f"{HEAD}__global__ void k(const int* x, int* y) {{\n  const int i = threadIdx.x; int v = x[i];\n  {body}\n}}"
    )
    program, _ = read_source(path, "k")
    validate(program)
    return program


def emulated(program: Any, machine: Any, names: tuple[str, str] = ("x", "y")) -> np.ndarray:
    x, y = names
    args = {x: X, y: np.full(64, -1, np.int32)}
    done = emulate(program, machine, Launch((1, 1, 1), (64, 1, 1), 0), args, roles={x: "in", y: "inout"})
    assert not done.findings, done.findings
    return done.buffers[y]


@pytest.mark.parametrize("name", BODIES)
def test_groups(tmp_path: Path, name: str) -> None:
    body, expected = BODIES[name]
    program = source(tmp_path, body)
    want = np.asarray(expected).astype(np.int32)
    np.testing.assert_array_equal(emulated(program, load_machine("h100")), want)
    roles: Any = {"x": "in", "y": "inout"}
    block = (64, 1, 1)
    for device, language in (("h100", "cuda"), ("m4", "metal"), ("cpu", "opencl")):
        dst = load_machine(device)
        special = specialise(
            resolve_spaces(program), load_machine("h100"), dst, language=language, block=block, max_block=block,  # pyright: ignore[reportArgumentType]
            shared_bytes=0, roles=roles, inits={"y": -1.0},
        )  # fmt: skip
        if language == "cuda":
            from gpuport.backends.cuda.writer import write
        elif language == "metal":
            from gpuport.backends.metal.writer import write
        else:
            from gpuport.backends.opencl.writer import write
        back = read_text(write(special.program, dst, WritePlan("k", roles, block, "k.cu")))
        names = [p.name for p in back.kernel.params]
        np.testing.assert_array_equal(emulated(back, dst, (names[0], names[1])), want, err_msg=device)


REFUSED = {
    "coalesced": ("auto g = cg::coalesced_threads(); y[i] = g.size();", "active"),
    "grid sync": ("cg::this_grid().sync(); y[i] = v;", "grid"),
    "tile of run-time size": ("auto g = cg::tiled_partition(cg::this_thread_block(), 16); y[i] = g.size();", "active"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_groups_are_refused_at_their_line(tmp_path: Path, name: str) -> None:
    body, why = REFUSED[name]
    with pytest.raises(Refusal) as refusal:
        source(tmp_path, body)
    first = refusal.value.diagnostics[0]
    assert (first.number, first.loc and first.loc.file, first.loc and first.loc.line) == ("GP1104", "k.cu", 12)
    assert why in first.message
