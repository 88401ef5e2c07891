"""Probe an OpenCL device with PyOpenCL: clGetDeviceInfo, copy bandwidth, fma rates, launch overhead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..errors import MachineError
from .pocl import name_cpu
from .readings import Probe, Reading, written
from .timing import median_of, median_wall

if TYPE_CHECKING:
    from collections.abc import Callable

    from .readings import Report

_COPY: Final = """
kernel void copy(global const float4 *in, global float4 *out) { size_t i = get_global_id(0); out[i] = in[i]; }
kernel void nothing(global float *out) { if (get_global_id(0) > (1u << 30)) out[0] = 0.0f; }
"""
# Eight independent chains hide the latency of the multiply-add; STEPS steps of 2 operations per lane each.
_FMA: Final = """
kernel void chains(global GP_VECTOR *out, GP_SCALAR start) {
  GP_VECTOR a0 = (GP_VECTOR)start, m = (GP_VECTOR)(GP_SCALAR)0.5, c = (GP_VECTOR)(GP_SCALAR)0.25;
  GP_VECTOR a1 = a0 + m, a2 = a1 + m, a3 = a2 + m, a4 = a3 + m, a5 = a4 + m, a6 = a5 + m, a7 = a6 + m;
  for (int i = 0; i < GP_STEPS; ++i) {
    a0 = mad(a0, m, c); a1 = mad(a1, m, c); a2 = mad(a2, m, c); a3 = mad(a3, m, c);
    a4 = mad(a4, m, c); a5 = mad(a5, m, c); a6 = mad(a6, m, c); a7 = mad(a7, m, c);
  }
  out[get_global_id(0)] = a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7;
}
"""
_CHAINS: Final = 8
_STEPS: Final = 4096


def _device(number: int) -> Any:
    try:
        import pyopencl as cl
    except ImportError:
        raise MachineError("no OpenCL: install pyopencl (on Linux, pyopencl[pocl] brings a CPU device)") from None
    try:
        devices = [device for platform in cl.get_platforms() for device in platform.get_devices()]
    except cl.Error as error:
        raise MachineError(f"no OpenCL platform: {error}") from None
    if not 0 <= number < len(devices):
        names = ", ".join(f"{i}: {device.name.strip()}" for i, device in enumerate(devices)) or "none"
        raise MachineError(f"no OpenCL device {number}; devices: {names}")
    return devices[number]


def _is_rdna(name: str) -> bool:
    return name.startswith(("gfx10", "gfx11", "gfx12"))


def _limits(device: Any, is_cpu: bool) -> tuple[list[Reading], list[str]]:
    """What clGetDeviceInfo says, and what of it is not to be believed."""
    extensions = set(device.extensions.split())
    readings = [
        Reading("limits.threads_per_group", f"{device.max_work_group_size} thread", at="MAX_WORK_GROUP_SIZE"),
        Reading("limits.group_dim", list(device.max_work_item_sizes), unit="thread", at="MAX_WORK_ITEM_SIZES"),
        Reading("shared.per_group", f"{device.local_mem_size} B", at="LOCAL_MEM_SIZE"),
        Reading("limits.constant_memory", f"{device.max_constant_buffer_size} B", at="MAX_CONSTANT_BUFFER_SIZE"),
        Reading("limits.kernel_params", f"{device.max_parameter_size} B", at="MAX_PARAMETER_SIZE"),
        Reading("memory.size", f"{device.global_mem_size} B", at="GLOBAL_MEM_SIZE"),
        Reading("memory.unified", bool(device.host_unified_memory), at="HOST_UNIFIED_MEMORY"),
        Reading("features.fp64", "cl_khr_fp64" in extensions, at="cl_khr_fp64"),
        Reading("features.fp16", "cl_khr_fp16" in extensions, at="cl_khr_fp16"),
    ]
    corrections: list[str] = []
    if is_cpu:
        # PoCL gives local memory no less than it says; opting in does not exist.
        readings.append(Reading("shared.per_group_optin", f"{device.local_mem_size} B", at="LOCAL_MEM_SIZE"))
        readings.append(Reading("cache.line", f"{device.global_mem_cacheline_size} B", at="GLOBAL_MEM_CACHELINE_SIZE"))
        readings.append(Reading("cache.l3.size", f"{device.global_mem_cache_size} B", at="GLOBAL_MEM_CACHE_SIZE"))
    name = device.name.strip()
    units = device.max_compute_units
    if _is_rdna(name):
        readings.append(Reading("execution.api_compute_units", f"{units} count", at="MAX_COMPUTE_UNITS"))
        corrections.append(f"MAX_COMPUTE_UNITS {units} counts work-group processors on RDNA, not compute units")
    else:
        noun = "core" if is_cpu else "count"
        readings.append(Reading("execution.compute_units", f"{units} {noun}", at="MAX_COMPUTE_UNITS"))
    if is_cpu:
        note = "what the operating system reports, turbo or not"
        at = "MAX_CLOCK_FREQUENCY"
        readings.append(Reading("clock.boost", f"{device.max_clock_frequency} MHz", at=at, note=note))
    else:
        corrections.append(f"MAX_CLOCK_FREQUENCY {device.max_clock_frequency} MHz is a maximum, not the clock of peaks")
        corrections.append("GLOBAL_MEM_CACHE_SIZE is one cache level on some drivers and a sum on others: left out")
    return readings, corrections


class _Bench:
    """Kernels on one device, timed by the device's own profiling events."""

    def __init__(self, device: Any) -> None:
        import pyopencl as cl

        self.cl = cl
        self.device = device
        self.context = cl.Context([device])
        self.queue = cl.CommandQueue(self.context, properties=cl.command_queue_properties.PROFILING_ENABLE)

    def seconds(self, launch: Callable[[], Any]) -> float:
        event = launch()
        event.wait()
        return (event.profile.end - event.profile.start) * 1e-9

    def kernel_seconds(self, kernel: Any, threads: int, repeats: int) -> float:
        """Median seconds of a kernel over `threads` work-items."""

        def launch() -> Any:
            return self.cl.enqueue_nd_range_kernel(self.queue, kernel, (threads,), None)

        return median_of(lambda: self.seconds(launch), repeats)

    def copy_bandwidth(self) -> float:
        """Bytes read plus bytes written per second; the arrays exceed any cache."""
        import numpy as np

        limit = min(int(self.device.max_mem_alloc_size), int(self.device.global_mem_size) // 8)
        size = min(256 << 20, limit) // 4096 * 4096
        flags = self.cl.mem_flags
        source = self.cl.Buffer(self.context, flags.READ_ONLY, size)
        target = self.cl.Buffer(self.context, flags.WRITE_ONLY, size)
        pattern = np.arange(size // 4, dtype=np.float32)
        self.cl.enqueue_copy(self.queue, source, pattern)
        kernel = self.cl.Program(self.context, _COPY).build().copy
        kernel.set_args(source, target)
        seconds = self.kernel_seconds(kernel, size // 16, 9)
        back = np.empty_like(pattern)
        self.cl.enqueue_copy(self.queue, back, target).wait()
        if not np.array_equal(pattern, back):
            raise MachineError("probe: the copy kernel did not copy; its time is worth nothing")
        return 2 * size / seconds

    def fma_rate(self, scalar: str) -> float:
        """Multiply-adds per second times two, from independent chains in native vectors."""
        import numpy as np

        width = max(1, int(getattr(self.device, f"native_vector_width_{scalar}")))
        vector = scalar if width == 1 else f"{scalar}{width}"
        extension = {"double": "cl_khr_fp64", "half": "cl_khr_fp16"}.get(scalar)
        enable = f"#pragma OPENCL EXTENSION {extension} : enable\n" if extension else ""
        options = [f"-DGP_VECTOR={vector}", f"-DGP_SCALAR={scalar}", f"-DGP_STEPS={_STEPS}"]
        program = self.cl.Program(self.context, enable + _FMA).build(options=options)
        dtype = np.dtype({"float": np.float32, "double": np.float64, "half": np.float16}[scalar])
        threads = int(self.device.max_compute_units) * 64 * (1 if width > 1 else 64)
        out = self.cl.Buffer(self.context, self.cl.mem_flags.WRITE_ONLY, threads * width * dtype.itemsize)
        kernel = program.chains
        kernel.set_args(out, dtype.type(1.0))
        seconds = self.kernel_seconds(kernel, threads, 5)
        result = np.empty(threads * width, dtype)
        self.cl.enqueue_copy(self.queue, result, out).wait()
        # Every chain converges to c / (1 - m) = 0.5.
        if not np.allclose(result, 0.5 * _CHAINS):
            raise MachineError(f"probe: the {scalar} multiply-add kernel computed {result[0]!r}, not {0.5 * _CHAINS}")
        return 2.0 * _CHAINS * _STEPS * width * threads / seconds

    def launch_overhead(self) -> float:
        """Seconds from enqueueing an empty kernel to knowing that it ended."""
        out = self.cl.Buffer(self.context, self.cl.mem_flags.WRITE_ONLY, 4)
        kernel = self.cl.Program(self.context, _COPY).build().nothing
        kernel.set_args(out)

        def once() -> None:
            self.cl.enqueue_nd_range_kernel(self.queue, kernel, (1,), None)
            self.queue.finish()

        return median_wall(once, 200, warm_up=20)


def read(number: int, report: Report) -> Probe:
    """Probe OpenCL device `number` (platforms in their order, then devices)."""
    device = _device(number)
    import pyopencl as cl

    is_cpu = bool(device.type & cl.device_type.CPU)
    report(f"reading clGetDeviceInfo of {device.name.strip()}")
    readings, corrections = _limits(device, is_cpu)
    if (cpu := name_cpu(device)) is not None:
        corrections.append(f"PoCL calls this CPU generic, for which it cannot build: compiled for {cpu}")
    try:
        bench = _Bench(device)
        report("measuring copy bandwidth")
        rate = bench.copy_bandwidth()
        readings.append(
            Reading("measured.bandwidth.copy", written(rate, "B/s"), "measured", note="bytes read + written")
        )
        extensions = device.extensions.split()
        wanted = [("float", "f32", True), ("double", "f64", "cl_khr_fp64" in extensions)]
        for scalar, dtype, there in [*wanted, ("half", "f16", "cl_khr_fp16" in extensions)]:
            if there:
                report(f"measuring {dtype} multiply-add rate")
                rate = bench.fma_rate(scalar)
                readings.append(
                    Reading(f"measured.rate.vector.{dtype}", written(rate, "op/s"), "measured", note="mad chains")
                )
        report("measuring launch overhead")
        seconds = bench.launch_overhead()
    except cl.Error as error:
        raise MachineError(f"probe: OpenCL failed on {device.name.strip()}: {error}") from None
    readings.append(Reading("measured.launch", written(seconds, "s"), "measured", note="enqueue to finish, median"))
    name = device.name.strip()
    hints = {"gfx": name.split(":")[0]} if name.startswith("gfx") else {}
    board = getattr(device, "board_name_amd", name) if hints else name
    driver = f"{device.platform.version.strip()}, driver {device.driver_version}"
    return Probe(str(board).strip(), "opencl", driver, tuple(readings), hints, tuple(corrections))
