"""The user's reference and inputs functions: found beside the spec, called, their errors told in one line."""

from __future__ import annotations

import importlib.util
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...hwmodels.errors import GpuportError
from ..spec import SpecError

if TYPE_CHECKING:
    from ..spec import Kernel


class ReferenceFailed(GpuportError):
    """The user's reference or inputs function raised, or gave something that is no result."""


def load_function(kernel: Kernel, named: Any, key: str) -> Callable[..., Any]:
    """Return the function that a spec names as `module:function`, or the function itself.

    The module is a file beside the spec. Raises SpecError if there is none, ReferenceFailed if importing it raises.
    """
    if callable(named):
        return named
    module_name, _, function_name = str(named).partition(":")
    path = kernel.folder.resolve() / (module_name.strip().replace(".", "/") + ".py")
    if not path.is_file():
        raise SpecError(f"{kernel.origin}: {key}: no such file: {path.name} beside the spec")
    unique = f"_gpuport_reference_{abs(hash(str(path)))}"
    spec = importlib.util.spec_from_file_location(unique, path)
    if spec is None or spec.loader is None:
        raise SpecError(f"{kernel.origin}: {key}: {path.name} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # the user's code may raise anything
        raise ReferenceFailed(f"{kernel.origin}: {key}: importing {path.name}: {_one_line(error, path)}") from None
    function = getattr(module, function_name.strip(), None)
    if not callable(function):
        names = ", ".join(n for n, v in vars(module).items() if callable(v) and not n.startswith("_")) or "none"
        raise SpecError(
            f"{kernel.origin}: {key}: no function {function_name!r} in {path.name}; functions there: {names}"
        )
    return function


def call_user(kernel: Kernel, key: str, function: Callable[..., Any], *args: Any) -> Any:
    """Call a function of the user's; what it raises becomes one line with file and line."""
    try:
        with np.errstate(all="ignore"):
            return function(*args)
    except Exception as error:  # the user's code may raise anything
        path = Path(getattr(getattr(function, "__code__", None), "co_filename", ""))
        raise ReferenceFailed(f"{kernel.origin}: {key}: {_one_line(error, path)}") from None


def _one_line(error: Exception, path: Path) -> str:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename) == path]
    line = frames[-1].lineno if frames else getattr(error, "lineno", None)
    where = f"{path.name}:{line}: " if path.name and line else ""
    return f"{where}{type(error).__name__}: {' '.join(str(error).split())}"


def reference_outputs(
    kernel: Kernel, inputs: Mapping[str, np.ndarray], sizes: Mapping[str, int]
) -> dict[str, np.ndarray] | None:
    """Call the reference on the inputs in float64 and return its outputs by name; None if the spec has no reference.

    The function gets a dict of the in and inout arrays (floats as float64, shaped) and the scalars. It returns a dict by
    output, or the arrays in the order of the outputs, or one array. Raises SpecError, ReferenceFailed.
    """
    named = kernel.model.reference.python
    if named is None:
        return None
    function = load_function(kernel, named, "reference.python")
    given: dict[str, Any] = {}
    for name, arg in kernel.args.items():
        if name in inputs:
            given[name] = inputs[name].astype(np.float64) if arg.scalar.is_float else inputs[name].copy()
        elif not arg.is_buffer:
            given[name] = kernel.scalar(name, sizes)
    found = call_user(kernel, "reference.python", function, given)
    outputs = [n for n, a in kernel.args.items() if a.role in ("out", "inout")]
    if isinstance(found, Mapping):
        results = {str(k): v for k, v in found.items()}
    elif isinstance(found, Sequence) and len(found) == len(outputs):
        results = dict(zip(outputs, found, strict=True))
    elif len(outputs) == 1:
        results = {outputs[0]: found}
    else:
        raise ReferenceFailed(
            f"{kernel.origin}: reference.python: expected a dict of the outputs ({', '.join(outputs)}), "
            f"found {type(found).__name__}"
        )
    if set(results) != set(outputs):
        raise ReferenceFailed(
            f"{kernel.origin}: reference.python: expected the outputs ({', '.join(outputs)}), found ({', '.join(results)})"
        )
    return {n: _checked(kernel, n, results[n], sizes) for n in outputs}


def _checked(kernel: Kernel, name: str, value: Any, sizes: Mapping[str, int]) -> np.ndarray:
    arg = kernel.args[name]
    shape = kernel.shape(name, sizes) + ((arg.lanes,) if arg.lanes > 1 else ())
    try:
        array = np.asarray(value)
        if arg.scalar.is_float:
            array = array.astype(np.float64)
    except (TypeError, ValueError):
        raise ReferenceFailed(f"{kernel.origin}: reference.python: {name}: expected an array of numbers") from None
    if array.shape != shape:
        raise ReferenceFailed(
            f"{kernel.origin}: reference.python: {name}: expected the shape {shape}, found {array.shape}"
        )
    return array
