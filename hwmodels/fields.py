"""Every fact a machine model may state: its path, its dimension, and what a porter reads it for.

A path segment in angle brackets stands for one name of a vocabulary: `rates.matrix.<dtype>.<dtype>` covers
`rates.matrix.f16.f32`. Paths outside this table are refused, so a typing error cannot pass for an unknown fact.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

Shape = Literal["one", "list", "either"]


@dataclass(frozen=True, slots=True)
class Field:
    """A fact that may be stated: `unit` is its canonical unit, or "text", "bool", "shape"."""

    path: str
    unit: str
    label: str
    shape: Shape = "one"
    choices: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """The first segment of the path, which is its table in a file."""
        return self.path.split(".", 1)[0]


DTYPES: Final = (
    *("f64", "f32", "tf32", "xf32", "f16", "f16x2", "bf16", "bf16x2", "fp8", "fp6", "fp4", "mxf8", "mxf6", "mxf4"),
    *(
        "nvf4",
        "e4m3",
        "e5m2",
        "e3m2",
        "e2m3",
        "e2m1",
        "i128",
        "i64",
        "u64",
        "i32",
        "u32",
        "i16",
        "u16",
        "i8",
        "u8",
        "i4",
        "u4",
        "b1",
        "bool",
    ),
)
VOCABULARY: Final[dict[str, tuple[str, ...]]] = {
    "<dtype>": DTYPES,
    "<acc>": DTYPES,
    "<engine>": ("matrix", "matrix_sparse"),
    "<space>": ("global", "shared"),
    "<api>": ("mma", "wgmma", "tcgen05", "mfma", "wmma", "simdgroup", "tensor_ops", "scaled"),
    "<event>": ("l1", "l2", "l3", "dram", "shared", "barrier", "shuffle", "atomic", "fadd"),
    "<stream>": ("copy", "stream", "dram_read", "dram_write", "l2_read"),
}
NATIVE_CAS_NONE: Final = ("native", "cas", "none")
ATOMIC_OPS: Final = ("add", "sub", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec", "none")

FIELDS: Final[tuple[Field, ...]] = (
    Field("isa.target", "text", "compiler target"),
    Field("isa.family", "text", "family, as the vendor names it"),
    Field("isa.compute_capability", "text", "CUDA compute capability"),
    Field("execution.compute_units", "count", "compute units"),
    Field("execution.api_compute_units", "count", "compute units, as the API counts them"),
    Field("execution.dies", "count", "compute dies"),
    Field("execution.subpartitions", "count", "schedulers per compute unit"),
    Field("execution.subgroup_width", "lane", "subgroup width"),
    Field("execution.subgroup_widths", "lane", "subgroup widths", "list"),
    Field("limits.threads_per_group", "thread", "threads per group"),
    Field("limits.group_dim", "thread", "group size per dimension", "list"),
    Field("limits.grid_dim", "group", "grid size per dimension", "list"),
    Field("limits.grid_threads", "thread", "threads of a grid per dimension", "list"),
    Field("limits.threads_per_unit", "thread", "resident threads per compute unit"),
    Field("limits.subgroups_per_unit", "subgroup", "resident subgroups per compute unit"),
    Field("limits.subgroups_per_simd", "subgroup", "resident subgroups per SIMD"),
    Field("limits.groups_per_unit", "group", "resident groups per compute unit"),
    Field("limits.barriers_per_unit", "count", "barrier slots per compute unit"),
    Field("limits.virtual_resources_per_unit", "count", "virtual resources per compute unit"),
    Field("limits.resident_grids", "count", "resident grids"),
    Field("limits.buffer_args", "count", "buffer arguments"),
    Field("limits.texture_args", "count", "texture arguments"),
    Field("limits.kernel_params", "B", "kernel parameters"),
    Field("limits.inline_constants", "B", "constants passed inline"),
    Field("limits.constant_memory", "B", "constant memory"),
    Field("registers.per_unit", "reg32", "registers per compute unit"),
    Field("registers.per_group", "reg32", "registers per group"),
    Field("registers.per_thread", "reg32", "registers per thread"),
    Field("registers.per_lane_wave32", "reg32", "vector registers per SIMD lane, wave32"),
    Field("registers.per_lane_wave64", "reg32", "vector registers per SIMD lane, wave64"),
    Field("registers.granule", "reg32", "register allocation granule"),
    Field("registers.granule_wave32", "reg32", "register allocation granule per thread, wave32"),
    Field("registers.granule_wave64", "reg32", "register allocation granule per thread, wave64"),
    Field("registers.scalar_per_subgroup", "reg32", "scalar registers per subgroup"),
    Field("registers.scalar_limits_occupancy", "bool", "scalar registers limit occupancy"),
    Field("registers.accumulator_file", "text", "accumulator registers", choices=("none", "separate", "unified")),
    Field("registers.uniform", "reg32", "uniform registers"),
    Field("registers.file", "B", "register file per compute unit"),
    Field("registers.dynamic", "bool", "registers allocated dynamically"),
    Field("shared.per_group", "B", "shared memory per group"),
    Field("shared.per_group_optin", "B", "shared memory per group after opt-in"),
    Field("shared.per_unit", "B", "shared memory per compute unit"),
    Field("shared.pool", "B", "shared memory that one pair of compute units allocates from"),
    Field("shared.reserved_per_group", "B", "shared memory reserved per group"),
    Field("shared.granule", "B", "shared memory allocation granule"),
    Field("shared.carveouts", "B", "shared memory carve-outs", "list"),
    Field("shared.banks", "count", "shared memory banks"),
    Field("shared.bank_width", "B", "shared memory bank width"),
    Field("tmem.per_unit", "B", "tensor memory per compute unit"),
    Field("cache.line", "B", "cache line"),
    Field("cache.sector", "B", "cache sector"),
    Field("cache.scalar.size", "B", "scalar cache"),
    Field("cache.l1.size", "B", "L1 cache per compute unit"),
    Field("cache.l2.size", "B", "L2 cache"),
    Field("cache.l2.instances", "count", "L2 caches"),
    Field("cache.l3.size", "B", "L3 or system-level cache"),
    Field("memory.size", "B", "device memory"),
    Field("memory.sizes", "B", "device memory configurations", "list"),
    Field("memory.type", "text", "memory type"),
    Field("memory.bandwidth", "B/s", "memory bandwidth"),
    Field("memory.bus", "bit", "memory bus width"),
    Field("memory.clock", "Hz", "memory clock"),
    Field("memory.transfers_per_clock", "count", "memory transfers per clock"),
    Field("memory.unified", "bool", "memory shared with the CPU"),
    Field("clock.boost", "Hz", "boost clock"),
    Field("clock.matrix", "Hz", "clock that the matrix peaks are stated at"),
    Field("ops.vector.<dtype>", "op/clk", "vector operations per clock and compute unit"),
    Field("ops.<engine>.<dtype>.<acc>", "op/clk", "matrix operations per clock and compute unit"),
    Field("rates.vector.<dtype>", "op/s", "vector peak"),
    Field("rates.<engine>.<dtype>.<acc>", "op/s", "matrix peak"),
    Field("matrix.<api>.<dtype>.<acc>", "shape", "matrix shapes, MxNxK", "list"),
    Field("matrix.engine", "text", "what executes matrix operations"),
    Field("dtypes.storage", "text", "types that can be stored", "list", DTYPES),
    Field("dtypes.alu", "text", "types with arithmetic", "list", DTYPES),
    Field("dtypes.matrix", "text", "types with matrix operations", "list", DTYPES),
    Field("dtypes.absent", "text", "types that are absent", "list", DTYPES),
    Field("dtypes.fp8_encoding", "text", "fp8 encoding", choices=("none", "OCP", "FNUZ")),
    Field("atomics.<space>.<dtype>", "text", "atomic operations", "list", ATOMIC_OPS),
    Field("features.fp64", "bool", "f64 arithmetic"),
    Field("features.fp16", "bool", "f16 arithmetic"),
    Field("features.subgroups", "bool", "subgroup operations in the language written for it"),
    Field("features.subgroup_shuffle", "text", "subgroup shuffle", choices=("native", "none")),
    Field(
        "features.opencl_shuffle", "text", "subgroup shuffle in OpenCL C", choices=("khr", "amdgcn_bpermute", "none")
    ),
    Field("features.atomic_f32_global", "text", "f32 atomic add, device memory", choices=NATIVE_CAS_NONE),
    Field("features.atomic_f32_shared", "text", "f32 atomic add, shared memory", choices=NATIVE_CAS_NONE),
    Field("features.atomic_i64", "text", "64-bit integer atomics", choices=(*NATIVE_CAS_NONE, "minmax")),
    Field("features.opencl_device_fence", "bool", "memory fence across groups in OpenCL C"),
    Field("features.forward_progress", "bool", "groups that run make progress while others wait"),
    Field("features.async_copy", "bool", "asynchronous copy to shared memory"),
    Field("features.async_copy_bits", "bit", "widths of an asynchronous copy to shared memory", "list"),
    Field("features.tma", "bool", "tensor memory accelerator"),
    Field("features.cluster", "bool", "thread-block clusters"),
    Field("features.redux_sync", "bool", "redux.sync"),
    Field("features.elect_sync", "bool", "elect.sync"),
    Field("features.wgmma", "bool", "wgmma"),
    Field("features.tcgen05", "bool", "tcgen05 and tensor memory"),
    Field("features.grid_sync", "bool", "grid-wide synchronisation"),
    Field("numerics.subnormals_f32", "text", "f32 subnormals", choices=("kept", "flushed")),
    Field("numerics.subnormals_f16", "text", "f16 subnormals", choices=("kept", "flushed")),
    Field(
        "numerics.atomic_subnormals_f32",
        "text",
        "f32 subnormals in atomic adds on global memory",
        choices=("kept", "flushed"),
    ),
    Field("numerics.contract", "text", "contraction to fma by default", choices=("on", "off", "fast", "relaxed")),
    Field("numerics.fast_math_default", "bool", "fast math unless told otherwise"),
    Field("measured.latency.<event>", "cycle", "latency"),
    Field("measured.bandwidth.<stream>", "B/s", "measured bandwidth"),
    Field("measured.rate.vector.<dtype>", "op/s", "measured vector rate"),
    Field("measured.rate.<engine>.<dtype>.<acc>", "op/s", "measured matrix rate"),
    Field("measured.launch", "s", "launch overhead"),
    Field("measured.l2_segment", "B", "L2 that one compute unit reaches directly"),
    Field("measured.alu_saturation", "subgroup", "subgroups per compute unit that saturate the ALUs"),
    Field("measured.shuffle_bandwidth", "B/clk", "shuffle bandwidth per compute unit"),
    Field("occupancy.rule", "text", "occupancy rule", choices=("nvidia", "cdna", "rdna", "apple7", "none")),
)

_Tree = dict[str, "Field | _Tree"]


@cache
def field_tree() -> _Tree:
    """The fields as nested dicts, one level per path segment."""
    root: _Tree = {}
    for field in FIELDS:
        *parents, leaf = field.path.split(".")
        node = root
        for segment in parents:
            child = node.setdefault(segment, {})
            assert isinstance(child, dict), field.path
            node = child
        node[leaf] = field
    return root


def step(node: _Tree, segment: str) -> Field | _Tree | None:
    """The node below `node` that `segment` names, by its own name or as a word of a vocabulary."""
    if segment in node and not segment.startswith("<"):
        return node[segment]
    for name, child in node.items():
        if segment in VOCABULARY.get(name, ()):
            return child
    return None


@cache
def find_field(path: str) -> Field | None:
    """The field that `path` is an instance of, or None."""
    node: Field | _Tree | None = field_tree()
    for segment in path.split("."):
        if not isinstance(node, dict):
            return None
        node = step(node, segment)
    return node if isinstance(node, Field) else None


def known_below(prefix: str) -> list[str]:
    """Names that may follow `prefix`, with vocabularies spelled out; for error messages."""
    node: Field | _Tree | None = field_tree()
    for segment in filter(None, prefix.split(".")):
        node = step(node, segment) if isinstance(node, dict) else None
    if not isinstance(node, dict):
        return []
    return [name for key in node for name in VOCABULARY.get(key, (key,))]


def nearest_paths(path: str) -> list[str]:
    """Up to three known paths that resemble `path`."""
    return difflib.get_close_matches(path, [field.path for field in FIELDS], n=3, cutoff=0.6)
