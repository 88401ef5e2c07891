"""Probe an NVIDIA device through CuPy: driver attributes, copy bandwidth, fma and GEMM rates, launch overhead.

Attribute names are those of cudaDeviceAttr without the prefix, as cupy.cuda.Device.attributes gives them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..errors import MachineError
from .readings import Probe, Reading, written
from .timing import median_of, median_wall

if TYPE_CHECKING:
    from .readings import Report

_FMA: Final = """
extern "C" __global__ void chains(GP_REAL *out, GP_REAL start) {
  GP_REAL a[8];
  #pragma unroll
  for (int k = 0; k < 8; ++k) a[k] = start + k;
  for (int i = 0; i < GP_STEPS; ++i) {
    #pragma unroll
    for (int k = 0; k < 8; ++k) a[k] = a[k] * (GP_REAL)0.5 + (GP_REAL)0.25;
  }
  GP_REAL sum = 0;
  #pragma unroll
  for (int k = 0; k < 8; ++k) sum += a[k];
  out[blockIdx.x * blockDim.x + threadIdx.x] = sum;
}
extern "C" __global__ void nothing() {}
"""
_STEPS: Final = 8192
_QUANTITIES: Final = (
    ("MultiProcessorCount", "execution.compute_units", "SM"),
    ("WarpSize", "execution.subgroup_width", "lane"),
    ("MaxThreadsPerBlock", "limits.threads_per_group", "thread"),
    ("MaxThreadsPerMultiProcessor", "limits.threads_per_unit", "thread"),
    ("MaxBlocksPerMultiprocessor", "limits.groups_per_unit", "group"),
    ("TotalConstantMemory", "limits.constant_memory", "B"),
    ("MaxRegistersPerBlock", "registers.per_group", "reg32"),
    ("MaxRegistersPerMultiprocessor", "registers.per_unit", "reg32"),
    ("MaxSharedMemoryPerBlock", "shared.per_group", "B"),
    ("MaxSharedMemoryPerBlockOptin", "shared.per_group_optin", "B"),
    ("MaxSharedMemoryPerMultiprocessor", "shared.per_unit", "B"),
    ("ReservedSharedMemoryPerBlock", "shared.reserved_per_group", "B"),
    ("L2CacheSize", "cache.l2.size", "B"),
    ("GlobalMemoryBusWidth", "memory.bus", "bit"),
)
_AXES: Final = (("limits.group_dim", "MaxBlockDim", "thread"), ("limits.grid_dim", "MaxGridDim", "group"))


def _cupy(number: int) -> Any:
    try:
        import cupy
    except ImportError:
        raise MachineError("no CuPy: install cupy-cuda12x or cupy-cuda13x to probe a CUDA device") from None
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise MachineError(f"no CUDA device: {error}") from None
    if not 0 <= number < count:
        raise MachineError(f"no CUDA device {number}; there are {count}")
    if cupy.cuda.runtime.is_hip:
        # hipDeviceProp_t is wrong in too many fields (spec: LDS per CU, blocks per CU, registers, L2, memory clock).
        raise MachineError("this CuPy runs on ROCm, whose device properties are unreliable; use --backend opencl")
    return cupy


def _limits(attributes: dict[str, int], total: int) -> tuple[list[Reading], list[str]]:
    """What the driver says, and what of it is not the number that its name promises."""
    readings = [
        Reading(path, f"{attributes[key]} {unit}", at=key) for key, path, unit in _QUANTITIES if key in attributes
    ]
    for path, key, unit in _AXES:
        axes = [attributes.get(key + axis) for axis in "XYZ"]
        if None not in axes:
            readings.append(Reading(path, [int(a) for a in axes if a is not None], unit=unit, at=key + "*"))
    readings.append(Reading("memory.size", f"{total} B", at="totalGlobalMem"))
    readings.append(Reading("memory.unified", bool(attributes.get("Integrated", 0)), at="Integrated"))
    corrections: list[str] = []
    if (clock := attributes.get("ClockRate")) is not None:
        corrections.append(
            f"ClockRate {clock / 1000:g} MHz is the largest clock, not the clock that peaks are stated at"
        )
    if (clock := attributes.get("MemoryClockRate")) is not None:
        readings.append(Reading("memory.clock", f"{clock / 1000:g} MHz", at="MemoryClockRate"))
    return readings, corrections


def _event_seconds(cupy: Any, launch: Any, batch: int = 1) -> float:
    start, end = cupy.cuda.Event(), cupy.cuda.Event()
    start.record()
    for _ in range(batch):
        launch()
    end.record()
    end.synchronize()
    return cupy.cuda.get_elapsed_time(start, end) * 1e-3 / batch


def _copy_bandwidth(cupy: Any) -> float:
    free, _ = cupy.cuda.runtime.memGetInfo()
    count = min(2 << 30, free // 4) // 4
    source = cupy.arange(count, dtype=cupy.float32)
    target = cupy.empty_like(source)
    seconds = median_of(lambda: _event_seconds(cupy, lambda: cupy.copyto(target, source)), 9)
    if not bool((source == target).all()):
        raise MachineError("probe: the copy did not copy; its time is worth nothing")
    return 2 * source.nbytes / seconds


def _fma_rate(cupy: Any, ctype: str, dtype: Any, units: int) -> float:
    kernel = cupy.RawKernel(_FMA, "chains", options=(f"-DGP_REAL={ctype}", f"-DGP_STEPS={_STEPS}"))
    blocks, threads = units * 16, 256
    out = cupy.empty(blocks * threads, dtype)
    seconds = median_of(lambda: _event_seconds(cupy, lambda: kernel((blocks,), (threads,), (out, dtype(1)))), 5)
    if not bool(cupy.allclose(out, 4.0)):
        raise MachineError(f"probe: the {ctype} multiply-add kernel computed {out[0]}, not 4")
    return 2.0 * 8 * _STEPS * blocks * threads / seconds


def _gemm_rate(cupy: Any, dtype: Any) -> float:
    """A square product through cuBLAS on random data; zeros would draw less power and run faster."""
    size = 8192 if dtype != cupy.float64 else 4096
    a, b = (cupy.random.random((size, size), dtype=cupy.float32).astype(dtype) for _ in range(2))
    out = cupy.empty((size, size), dtype)
    seconds = median_of(lambda: _event_seconds(cupy, lambda: cupy.matmul(a, b, out=out), 5), 7)
    expected = a[:1].astype(cupy.float64) @ b.astype(cupy.float64)
    if not bool(cupy.allclose(out[:1].astype(cupy.float64), expected, rtol=1e-2)):
        raise MachineError(f"probe: the {dtype.__name__} product is wrong; its time is worth nothing")
    return 2.0 * size**3 / seconds


def read(number: int, report: Report) -> Probe:
    """Probe CUDA device `number`."""
    cupy = _cupy(number)
    with cupy.cuda.Device(number) as device:
        properties = cupy.cuda.runtime.getDeviceProperties(number)
        name = properties["name"].decode() if isinstance(properties["name"], bytes) else str(properties["name"])
        report(f"reading the driver's attributes of {name}")
        readings, corrections = _limits(dict(device.attributes), int(properties["totalGlobalMem"]))
        units = int(device.attributes["MultiProcessorCount"])
        report("measuring copy bandwidth")
        rate = _copy_bandwidth(cupy)
        readings.append(
            Reading("measured.bandwidth.copy", written(rate, "B/s"), "measured", note="bytes read + written")
        )
        for dtype, ctype, numpy_type in (("f32", "float", cupy.float32), ("f64", "double", cupy.float64)):
            report(f"measuring {dtype} multiply-add rate")
            rate = _fma_rate(cupy, ctype, numpy_type, units)
            readings.append(
                Reading(f"measured.rate.vector.{dtype}", written(rate, "op/s"), "measured", note="fma chains")
            )
        for key, numpy_type in (("f16.f32", cupy.float16), ("f64.f64", cupy.float64)):
            report(f"measuring the matrix rate of {key}")
            rate = _gemm_rate(cupy, numpy_type)
            note = "square cuBLAS product of random data, median"
            readings.append(Reading(f"measured.rate.matrix.{key}", written(rate, "op/s"), "measured", note=note))
        report("measuring launch overhead")
        empty = cupy.RawKernel(_FMA, "nothing", options=("-DGP_REAL=float", f"-DGP_STEPS={_STEPS}"))

        def once() -> None:
            empty((1,), (32,), ())
            device.synchronize()

        seconds = median_wall(once, 200, warm_up=20)
        readings.append(
            Reading("measured.launch", written(seconds, "s"), "measured", note="launch to synchronize, median")
        )
        major, minor = divmod(int(device.compute_capability), 10)
        driver = f"CUDA driver API {cupy.cuda.runtime.driverGetVersion()}, CuPy {cupy.__version__}"
    return Probe(name, "cuda", driver, tuple(readings), {"cc": f"{major}.{minor}"}, tuple(corrections))
