"""HIP as IR: CUDA's table, with the functions that HIP names otherwise or has alone."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ...ir.nodes import Barrier, Block, Fence, Grid, GridIndex, Scope
from ...ir.types import I32
from ..clang import handlers as c
from ..clang.context import CallSite, FunctionContext, Handler, Language
from ..clang.read import Source, read_entry
from ..cuda.reader import CUDA, nvrtc_include_dir
from ..cuda.reader import include_dir as cuda_include_dir

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...ir.nodes import Expr, Program, Stmt


def _fence(_fc: FunctionContext, site: CallSite) -> Stmt:
    """`__builtin_amdgcn_fence(order, scope)`: within a wave it orders what its lanes do in order anyway."""
    from ...ir.diagnostics import refuse

    scope = _string(site.nodes[1])
    scopes = {"workgroup": Scope.GROUP, "agent": Scope.DEVICE, "": Scope.DEVICE}
    if scope == "wavefront":
        return Block((), loc=site.loc)
    if scope not in scopes:
        raise refuse("GP1104", f"{site.name} of the scope {scope!r}", site.loc)
    return Fence(scopes[scope], loc=site.loc)


def _string(node: dict[str, object]) -> str | None:
    """The string literal that an argument is, without its quotes."""
    stack = [node]
    while stack:
        found = stack.pop()
        if found.get("kind") == "StringLiteral":
            return str(found["value"]).strip('"')
        stack.extend(found.get("inner", ()))  # pyright: ignore[reportArgumentType]
    return None


def _calls() -> dict[str, Handler]:
    out: dict[str, Handler] = {
        **CUDA.calls,
        "__lane_id": c.grid(Grid.LANE),
        "__builtin_amdgcn_wave_barrier": c.barrier(Scope.SUBGROUP),
        "__builtin_amdgcn_s_barrier": c.barrier(Scope.GROUP),
        "__builtin_amdgcn_fence": _fence,
        "__syncwarp": lambda _fc, site: Barrier(Scope.SUBGROUP, loc=site.loc),
    }
    for name in ("coalesced_threads", "tiled_partition", "binary_partition", "labeled_partition"):
        out[f"cooperative_groups::{name}"] = c.refused("a mask of the lanes of a wave, which may have 32 or 64")
    for kind, name in {"idx": "", "up": "_up", "down": "_down", "xor": "_xor"}.items():
        out[f"__shfl{name}"] = c.shuffle(kind, masked=False, width=0, widest=64)
    for kind in ("any", "all", "ballot"):
        out[f"__{kind}"] = c.vote(kind, masked=False, width=0)
    return out


def _warp_size(_axis: int) -> Expr:
    from ...ir.nodes import Convert

    return Convert(GridIndex(Grid.SUBGROUP_SIZE), I32, True)


HIP = Language(
    name="hip",
    calls=_calls(),
    variables={**CUDA.variables, "warpSize": _warp_size},
    default_space=CUDA.default_space,
    header=CUDA.header,
)


def read_hip(
    path: Path, entry: str, *, defines: Mapping[str, str] | None = None, include_dirs: Sequence[Path] = ()
) -> tuple[Program, dict[str, int]]:
    """Read a kernel from a HIP source file; gives and raises what `read_cuda` does.

    Shuffles and votes without a width are of the whole wave (width 0), 32 or 64 lanes as the machine has it.
    """
    include = Path(__file__).parent / "include"
    flags = ["-x", "hip", "--cuda-device-only", "-nogpuinc", "-nogpulib", "--offload-arch=gfx942", "-std=c++17",
             "-include", str(include / "gpuport_hip.h"), "-isystem", str(include),
             "-isystem", str(cuda_include_dir()), "-isystem", str(nvrtc_include_dir())]  # fmt: skip
    source = Source(path, entry, dict(defines or {}), tuple(include_dirs))
    return read_entry(HIP, source, flags, ".hip", kernel_attribute="CUDAGlobalAttr")


def read_hip_text(text: str, entry: str, name: str) -> Program:
    """Read a kernel from HIP text; `name` is what diagnostics call the file."""
    with tempfile.TemporaryDirectory(prefix="gpuport-") as tmp:
        path = Path(tmp) / name
        path.write_text(text, encoding="utf-8")
        return read_hip(path, entry)[0]
