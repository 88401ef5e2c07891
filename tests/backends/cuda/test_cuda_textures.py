"""Textures over linear memory are arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from cuda_ports import check, read
from gpuport.backends.base import Launch
from gpuport.ir.diagnostics import Refusal

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = """template <typename T> __device__ T twice(cudaTextureObject_t t, int i) { return 2 * tex1Dfetch<T>(t, i); }
__global__ void k(cudaTextureObject_t a, const cudaTextureObject_t b, cudaTextureObject_t c, float* y) {
  const int i = threadIdx.x;
  const float4 v = tex1Dfetch<float4>(b, i / 2);
  y[i] = twice<float>(a, i ^ 1) + v.x + v.w + twice<int>(c, 31 - i);
}"""


def test_fetches(tmp_path: Path) -> None:
    i = np.arange(32)
    args = {
        "a": (i * 3 % 7).astype(np.float32),
        "b": np.arange(64, dtype=np.float32),
        "c": (i * 5).astype(np.int32),
        "y": np.zeros(32, np.float32),
    }
    b = args["b"].reshape(16, 4)[i // 2]
    want = 2 * args["a"][i ^ 1] + b[:, 0] + b[:, 3] + 2 * args["c"][31 - i]
    roles = {"a": "in", "b": "in", "c": "in", "y": "inout"}
    check(read(tmp_path, SOURCE), args, roles, Launch((1, 1, 1), (32, 1, 1)), {"y": want})


@pytest.mark.parametrize(
    ("body", "number"),
    [
        ("y[0] = (float)t;", "GP1103"),
        ("y[0] = (float)t + tex1Dfetch<float>(t, 1);", "GP1102"),
        ("y[0] = tex1Dfetch<float>(t, 1) + tex1Dfetch<int>(t, 1);", "GP1103"),
        ("y[0] = tex1D<float>(t, 0.5f) + tex1Dfetch<float>(t, 1);", "GP1104"),
    ],
)
def test_other_uses_are_refused(tmp_path: Path, body: str, number: str) -> None:
    with pytest.raises(Refusal, match=number):
        read(tmp_path, f"__global__ void k(cudaTextureObject_t t, float* y) {{ {body} }}")
