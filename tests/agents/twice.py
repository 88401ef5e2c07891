"""A kernel that doubles, texts of it by better and worse authors, and servers that speak them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gpuport.agents.budget import Budget
from gpuport.agents.client import Server
from gpuport.agents.swarm import Swarm

KEY = "sk-very-secret-key-0123456789"
SOURCE = """__global__ void twice(const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = 2.0f * x[i];
}
"""
SPEC = """
[kernel]
source = "twice.cu"
entry = "twice"
[sizes]
n = [192, 1, 100]
[args]
x = { dtype = "f32", shape = ["n"], role = "in" }
y = { dtype = "f32", shape = ["n"], role = "out" }
n = { dtype = "i32", value = "n" }
[launch]
grid = ["cdiv(n, 64)"]
block = [64]
[verify]
generate = []
"""
HEAD = "__kernel void twice(__global const float* x, __global float* y, int n) {\n    int i = get_global_id(0);\n"
RIGHT = HEAD + "    if (i < n) y[i] = x[i] + x[i];\n}\n"
WRONG = HEAD + "    if (i < n) y[i] = 3.0f * x[i];\n}\n"


def write(folder: Path) -> Path:
    """Write the kernel and its spec; returns the source."""
    (folder / "twice.cu").write_text(SOURCE)
    (folder / "twice.kernel.toml").write_text(SPEC)
    return folder / "twice.cu"


def asks_for(body: dict[str, Any]) -> str:
    """Who is asked: sage, plan, explain or worker."""
    text = body["messages"][-1]["content"]
    known = {"You are the sage": "sage", "You are the supervisor": "plan", "A candidate was refuted": "explain"}
    return next((k for start, k in known.items() if text.startswith(start)), "worker")


def answered(kernel: Any) -> Any:
    """An answer with a kernel; what is no kernel is what the server does."""
    isn = not isinstance(kernel, str) or not kernel.startswith(("__", "#"))
    return kernel if isn else json.dumps({"idea": "scripted", "source": kernel})


def scripted(kernels: Iterable[Any]) -> Any:
    """Answer sages and supervisor, and workers with these kernels in turn, the last again and again."""
    listed = list(kernels)
    left = itertools.chain(listed, itertools.repeat(listed[-1]))

    def script(body: dict[str, Any]) -> Any:
        match asks_for(body):
            case "sage" | "explain":
                return json.dumps({"points": ["be careful"]})
            case "plan":
                return json.dumps({"strategies": ["as it is", "another way"]})
            case _:
                return answered(next(left))

    return script


def swarm(url: str, folder: Path, **more: Any) -> Swarm:
    """A swarm of one impatient worker."""
    options: dict[str, Any] = {
        "server": Server(url, "m", timeout=3.0, retries=1),
        "workers": 1,
        "budget": Budget(max_candidates=more.pop("candidates", 1)),
        "trace": folder / "trace",
        "time_limit": 6.0,
        "seen_sizes": 2,
    }
    return Swarm(**{**options, **more})
