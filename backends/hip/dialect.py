"""HIP as a table: CUDA's, with AMD's differences.

From the HIP programming guide (Kernel language: warp cross-lane functions, synchronization) and clang's AMDGPU builtins
(AMDGPUUsage, "Memory Model"). Shuffles and votes are spelled without `_sync`, which HIP has only from ROCm 7 on; so is
the barrier of a wave.
"""

from __future__ import annotations

import dataclasses
from typing import Final

from ...ir.nodes import Scope
from ...ir.types import I32, U64
from ..clike.dialect import Dialect, LaneForm
from ..cuda.dialect import CUDA_DIALECT, atomics
from ..cuda.matrices import ROCWMMA

WAVE_BARRIER: Final = '__builtin_amdgcn_fence(__ATOMIC_ACQ_REL, "wavefront");\n__builtin_amdgcn_wave_barrier();'


def hip_lanes(width: int) -> LaneForm:
    """Shuffles and votes on waves of `width` lanes: those of a part of the wave name their width, or take a helper.

    HIP's own functions read outside of the segment for some lanes that CUDA's do not, so that a lane that is not known
    to be inside takes the helper. A ballot has 64 bits whatever the wave's width is.
    """
    return LaneForm(
        shuffle="dialects/hip/helpers/shuffle.hip.j2",
        vote="dialects/hip/helpers/vote.hip.j2",
        segments={
            "idx": "__shfl({value}, {lane}{width})",
            **{kind: f"__shfl_{kind}({{value}}, {{lane}}{{width}})" for kind in ("up", "down", "xor")},
        },
        direct={kind: f"__{kind}({{value}})" for kind in ("any", "all", "ballot")},
        vote_types={"any": I32, "all": I32, "ballot": U64},
        hardware_width=width,
    )


def hip_dialect(width: int) -> Dialect:
    """HIP for waves of `width` lanes."""
    return dataclasses.replace(
        CUDA_DIALECT,
        aligned="__attribute__((aligned({n}))) ",
        name="hip",
        title="HIP",
        scalars={name: word for name, word in CUDA_DIALECT.scalars.items() if name != "bf16"},
        barriers={Scope.GROUP: "__syncthreads();", Scope.SUBGROUP: WAVE_BARRIER},
        atomics=atomics(""),
        lanes=hip_lanes(width),
        matrix=ROCWMMA,
        rounded={},  # HIP's __fmul_rn is a plain product, which its compiler fuses
        unfused="#pragma clang fp contract(off)",
    )
