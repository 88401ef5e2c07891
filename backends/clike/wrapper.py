"""The host wrapper of a port: a standalone Python module with a function named after the kernel."""

from __future__ import annotations

import dataclasses
import keyword
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ...ir.diagnostics import refuse
from ...ir.types import Vector, parse_dtype
from ...templates import render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...hwmodels import Machine
    from ..base import KernelText
    from .plan import ParamRole

DIVIDER = "// ---- gpuport: header above, body of the kernel below ----"
"""The line between header and body in the file of a Metal kernel."""

_NUMPY = {
    "f16": "float16",
    "f32": "float32",
    "f64": "float64",
    "bool": "bool_",
    **{f"{k}{b}": f"{n}{b}" for k, n in (("i", "int"), ("u", "uint")) for b in (8, 16, 32, 64)},
}
_MLX = {**_NUMPY, "bf16": "bfloat16"}


@dataclass(frozen=True)
class WrapperArg:
    """An argument of the kernel, in its order.

    `shape` has a Python expression over the sizes per axis (buffers); `value` one for a scalar, where a number stands
    for the default of a keyword argument; `init` is what an inout buffer is filled with, None where the caller passes
    it.
    """

    name: str
    kind: Literal["buffer", "scalar"]
    dtype: str
    shape: tuple[str, ...] = ()
    role: ParamRole | None = None
    value: str | None = None
    init: float | None = None


@dataclass(frozen=True)
class WrapperSize:
    """A size symbol: `places` are the (argument, axis) that tell it; without any it is a keyword argument."""

    name: str
    places: tuple[tuple[str, int], ...] = ()


def file_text(text: KernelText) -> str:
    """What the kernel's file holds: the source, for Metal the header, a divider line and the body."""
    return f"{text.header}{DIVIDER}\n{text.source}" if text.language == "metal" else text.source


def host_wrapper(
    text: KernelText,
    machine: Machine,
    *,
    name: str,
    kernel_file: str,
    args: Sequence[WrapperArg],
    sizes: Sequence[WrapperSize],
    grid: Sequence[str],
    block: Sequence[str],
    shared: str = "0",
) -> str:
    """Return the wrapper module's source for a kernel, to be saved beside `kernel_file`.

    `grid`, `block` (groups, threads, along x, y, z) and `shared` (bytes) are Python expressions over the sizes. Raises
    Refusal (GP2009) for what the runtime cannot be passed.
    """
    metal = text.language == "metal"
    module, dtypes = ("mx", _MLX) if metal else ("np", _NUMPY)

    def dtype_of(arg: Mapping[str, Any]) -> str:
        elem = str(arg["dtype"]).partition("x")[0]
        if elem == "bf16" and not metal:  # its bits, as NumPy has no such type
            if arg["init"] is not None:
                raise refuse("GP2009", f"{arg['name']}: NumPy has no {elem} to fill with {arg['init']}")
            return 'np.dtype("uint16")'
        if elem not in dtypes:
            raise refuse("GP2009", f"{arg['name']}: NumPy has no {elem}")
        return f"{module}.{dtypes[elem]}" if metal else f'np.dtype("{dtypes[elem].rstrip("_")}")'

    def shape_of(arg: Mapping[str, Any]) -> str:
        t = parse_dtype(str(arg["dtype"]))
        dims = [*arg["shape"], *([str(t.lanes)] if isinstance(t, Vector) else [])]
        return ", ".join(dims) + ("," if len(dims) == 1 else "")

    # a half by value may be passed as a float, a double as what holds it
    held = {p.name: p.dtype for p in text.params if p.kind == "scalar" or (text.fp64 and p.kind == "buffer")}
    doubles = [a for a in args if a.dtype == "f64" and text.fp64]
    pairs = text.fp64 == "double-single"
    if started := next((a for a in doubles if pairs and a.init), None):
        raise refuse("GP2009", f"{started.name}: pairs of floats that start from {started.init}")
    passed = [dataclasses.replace(a, dtype=held.get(a.name, a.dtype)) for a in args]
    in_place = {p.name for p in text.params if p.in_place}
    rows = [_row(a, text.language, module, dtypes, in_place=a.name in in_place) for a in passed]
    for row, arg in zip(rows, args, strict=True):
        row["given"] = arg.dtype if text.fp64 else row["dtype"]  # by the caller, whatever holds it
    buffers = [r for r in rows if r["kind"] == "buffer"]
    outputs = [r for r in buffers if r["role"] in ("out", "inout")]
    if not outputs:
        raise refuse("GP2009", f"{name} writes no buffer: there is nothing to return")
    made = [r for r in outputs if not r["in_place"]]
    init = _one_init(made) if metal else None
    spelled = {p.name: p.spelled or p.name for p in text.params}
    inner = [spelled[r["name"]] for r in rows if r["kind"] == "scalar" or r["role"] in ("in", "null") or r["in_place"]]
    empties = [_unwritten(r, f"({shape_of(r)}), dtype={dtype_of(r)}") for r in outputs] if metal else []
    return render(
        f"dialects/{text.language}/host.py.j2",
        name=name,
        language=text.language,
        entry=text.entry,
        kernel_file=kernel_file,
        machine=machine,
        args=rows,
        buffers=buffers,
        inputs=[r for r in buffers if r["role"] == "in" or (r["role"] == "inout" and r["init"] is None)],
        outputs=outputs,
        made=made,
        scalars=[r for r in rows if r["kind"] == "scalar"],
        keywords=_required_first(
            [r["keyword"] for r in rows if r["keyword"]] + [s.name for s in sizes if not s.places]
        ),
        sizes=[{"name": s.name, "from": list(s.places)} for s in sizes],
        grid=tuple(grid),
        block=tuple(block),
        shared=shared,
        var_of={r["name"]: r["var"] for r in rows},
        dtype_of=dtype_of,
        shape_of=shape_of,
        options=list(text.options),
        checks_contiguity=not metal,
        double_outputs=[i for i, r in enumerate(outputs) if r["name"] in {a.name for a in doubles}],
        doubles=bool(doubles),
        pairs=pairs,
        has_local=any(p.kind == "local" for p in text.params),
        has_template=any(p.kind == "template" for p in text.params),
        shared_name=next((p.name for p in text.params if p.kind == "template"), ""),
        init=init,
        divider=DIVIDER,
        input_names=inner,
        output_names=[spelled[r["name"]] for r in made] or ["nothing"],
        empty_outputs=empties[0] if len(empties) == 1 else f"({', '.join(empties)})",
    )


# what the wrappers call their own things
_TAKEN = frozenset({"np", "cl", "cla", "cp", "mx", "queue", "cache", "Path", "KERNEL_FILE", "DIVIDER"})


def _variable(name: str) -> str:
    """An argument's name as a Python variable; `in` becomes `in_`."""
    return f"{name}_" if keyword.iskeyword(name) or name in _TAKEN or name.startswith("_") else name


def _row(arg: WrapperArg, language: str, module: str, dtypes: Mapping[str, str], *, in_place: bool) -> dict[str, Any]:
    """An argument as the templates take it: how the caller gives it and how it is passed on."""
    var, option = _variable(arg.name), ""
    metal, cupy = language == "metal", language in ("cuda", "hip")
    if arg.kind == "buffer":
        passed = f"_padded({var})" if metal else var if cupy else f"{var}.data"
        if in_place:
            passed = f"_updated_{arg.name}"
        if arg.role == "null":
            null = "np.intp(0)" if cupy else "None"
            passed = f"mx.zeros((8,), dtype=mx.{dtypes[arg.dtype.partition('x')[0]]})" if metal else null
    else:
        value = arg.value
        if value is None:
            option, value = var, var
        elif _is_number(value):
            option, value = f"{var}={value}", var
        if arg.dtype == "f32x2":  # a double as a pair of floats
            passed = f"mx.array(_split({value}))" if metal else f"_split({value})"
        elif arg.dtype not in dtypes:
            raise refuse("GP2009", f"{arg.name}: NumPy has no scalars of type {arg.dtype}")
        else:
            name = dtypes[arg.dtype]
            scalar = name if cupy else _scalar(arg.dtype, name)
            passed = f"mx.array({value}, dtype=mx.{name})" if metal else f"np.{scalar}({value})"
    return {
        "name": arg.name,
        "kind": arg.kind,
        "dtype": arg.dtype,
        "shape": list(arg.shape),
        "role": arg.role,
        "in_place": in_place,
        "value": arg.value,
        "init": arg.init,
        "keyword": option,
        "pass_as": passed,
        "var": var,
    }


def _unwritten(output: Mapping[str, Any], made: str) -> str:
    """What a launch of no groups gives back of an output."""
    if output["role"] == "inout" and output["init"] is None:
        return str(output["var"])
    return f"mx.zeros({made})"


def _required_first(keywords: Sequence[str]) -> list[str]:
    return sorted(keywords, key=lambda k: "=" in k)


def _scalar(dtype: str, name: str) -> str:
    # OpenCL has no bool arguments: the kernel takes a byte
    return "uint8" if dtype == "bool" else name


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text in ("True", "False")
    return True


def _one_init(outputs: Sequence[Mapping[str, Any]]) -> float | None:
    inits = {r["init"] for r in outputs if r["role"] == "inout"}
    if len(inits) > 1:
        raise refuse("GP2009", f"MLX fills all outputs with one value, the kernel wants {sorted(inits)}")
    return next(iter(inits), None)
