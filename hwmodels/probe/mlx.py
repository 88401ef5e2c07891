"""Probe an Apple GPU through MLX: mx.device_info(), copy bandwidth, matrix rates, launch overhead.

Written from MLX's documentation; Metal gives no core count, clock, bandwidth, caches or registers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import MachineError
from .readings import Probe, Reading, written
from .timing import median_wall

if TYPE_CHECKING:
    from .readings import Report


def _metal() -> Any:
    try:
        import mlx.core as mx
    except ImportError:
        raise MachineError("no MLX: install mlx (on a Mac) to probe an Apple GPU") from None
    if not mx.metal.is_available():
        raise MachineError("this MLX has no Metal back-end: an Apple GPU can be probed on a Mac only")
    return mx


def _info(mx: Any) -> dict[str, Any]:
    # mx.device_info replaced mx.metal.device_info; older versions have only the latter.
    read_info = getattr(mx, "device_info", None) or mx.metal.device_info
    return dict(read_info())


def _limits(info: dict[str, Any]) -> list[Reading]:
    readings = (
        [Reading("memory.size", f"{int(info['memory_size'])} B", at="memory_size")] if "memory_size" in info else []
    )
    if "architecture" in info:
        readings.append(Reading("isa.target", str(info["architecture"]), at="MTLDevice.architecture.name"))
    return readings


def _rates(mx: Any, report: Report) -> list[Reading]:
    readings: list[Reading] = []
    report("measuring copy bandwidth")
    source = mx.random.normal((1 << 26,))
    mx.eval(source)
    seconds = median_wall(lambda: mx.eval(source + 1.0), 15)
    note = "an addition's bytes read + written, dispatch included"
    readings.append(
        Reading("measured.bandwidth.copy", written(2 * source.nbytes / seconds, "B/s"), "measured", note=note)
    )
    size = 4096
    for key, dtype in (("f32.f32", mx.float32), ("f16.f32", mx.float16), ("bf16.f32", mx.bfloat16)):
        report(f"measuring the matrix rate of {key}")
        a, b = (mx.random.normal((size, size)).astype(dtype) for _ in range(2))
        mx.eval(a, b)

        def product(a: Any = a, b: Any = b) -> None:
            mx.eval(a @ b)

        rate = 2.0 * size**3 / median_wall(product, 9)
        note = "square MLX product of random data, median"
        readings.append(Reading(f"measured.rate.matrix.{key}", written(rate, "op/s"), "measured", note=note))
    report("measuring launch overhead")
    tiny = mx.zeros((1,))
    seconds = median_wall(lambda: mx.eval(tiny + 1.0), 200, warm_up=20)
    readings.append(
        Reading("measured.launch", written(seconds, "s"), "measured", note="mx.eval of one element, median")
    )
    return readings


def read(number: int, report: Report) -> Probe:
    """Probe the Apple GPU; MLX has one, so `number` must be 0."""
    mx = _metal()
    if number != 0:
        raise MachineError(f"no MLX device {number}; there is one, device 0")
    info = _info(mx)
    name = str(info.get("device_name", "Apple GPU"))
    report(f"reading mx.device_info() of {name}")
    readings = [*_limits(info), *_rates(mx, report)]
    hints = {"mtl_arch": str(info.get("architecture", ""))}
    corrections = (
        f"max_recommended_working_set_size {info.get('max_recommended_working_set_size')} is no memory size",
    )
    return Probe(name, "mlx", f"MLX {mx.__version__}", tuple(readings), hints, corrections)
