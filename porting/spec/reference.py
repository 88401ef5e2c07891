"""The spec's own Python, its reference and its inputs function: loaded, called, their faults told in one line."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ...hwmodels.errors import GpuportError
from .data import decode, encode, for_reference, is_drawn, outputs, shaped

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from ...ir.types import Scalar
    from .data import Inputs
    from .kernel import Kernel


_ALONE: Final = threading.RLock()


class ReferenceFailed(GpuportError):
    """A reference or inputs function cannot be loaded, raised, or returned what it should not have."""


def call_reference(kernel: Kernel, sizes: Mapping[str, int], inputs: Inputs) -> dict[str, np.ndarray] | None:
    """Call the reference with copies of the inputs; None if the spec has none.

    Returns an array of the spec's shape for each output: float64, int64 (u64: uint64) or bool. The reference may
    return a dict by name, a tuple in the order of the outputs, or one array. Raises ReferenceFailed.
    """
    spec, given = kernel.model.reference.python, for_reference(kernel, sizes, inputs)
    if spec is None:
        return None
    fn, label = _load(kernel, spec, "python")
    with _own_faults(kernel, label), _beside(kernel.folder):
        returned = fn(given)
    names = outputs(kernel)
    if isinstance(returned, dict):
        found: dict[str, Any] = {str(k): v for k, v in returned.items()}
    else:
        items: tuple[Any, ...] = tuple(returned) if isinstance(returned, tuple | list) else (returned,)
        if len(items) != len(names):
            raise ReferenceFailed(f"{label}: expected {len(names)} outputs ({', '.join(names)}), found {len(items)}")
        found = dict(zip(names, items, strict=True))
    if set(found) != set(names):
        raise ReferenceFailed(f"{label}: expected the outputs {', '.join(names)}, found {', '.join(found) or 'none'}")
    return {n: _array(found[n], kernel.args[n].scalar, shaped(kernel, n, sizes), f"{label}: output {n}") for n in names}


def call_inputs(kernel: Kernel, sizes: Mapping[str, int], rng: np.random.Generator) -> dict[str, np.ndarray] | None:
    """Call the spec's inputs function; None if it has none. Returns arrays in memory form. Raises ReferenceFailed.

    It returns a dict with every `in` buffer and every `inout` one without `init`; those with `init` may be there too.
    """
    spec = kernel.model.reference.inputs
    if spec is None:
        return None
    fn, label = _load(kernel, spec, "inputs")
    with _own_faults(kernel, label), _beside(kernel.folder):
        returned = fn(rng, dict(sizes))
    needed = [name for name, arg in kernel.args.items() if is_drawn(arg)]
    allowed = {*needed, *(n for n, a in kernel.args.items() if a.role == "inout")}
    if not isinstance(returned, dict):
        raise ReferenceFailed(f"{label}: expected a dict with {', '.join(needed)}, found {type(returned).__name__}")
    given: dict[str, Any] = {str(k): v for k, v in returned.items()}
    if not set(needed) <= set(given) <= allowed:
        raise ReferenceFailed(f"{label}: expected the inputs {', '.join(needed)}, found {', '.join(given) or 'none'}")
    out: dict[str, np.ndarray] = {}
    for name, value in given.items():
        scalar = kernel.args[name].scalar
        array = _array(value, scalar, shaped(kernel, name, sizes), f"{label}: input {name}")
        memory = encode(array, scalar)
        if not scalar.is_float and not np.array_equal(decode(memory, scalar), array):
            raise ReferenceFailed(f"{label}: input {name}: expected numbers that {scalar} holds")
        out[name] = memory
    return out


def _array(value: Any, scalar: Scalar, shape: tuple[int, ...], label: str) -> np.ndarray:
    try:
        array = np.asarray(value)
    except Exception as error:
        raise ReferenceFailed(f"{label}: expected an array, found {type(value).__name__} ({error})") from None
    if array.dtype.kind not in "fiub":
        raise ReferenceFailed(f"{label}: expected numbers, found dtype {array.dtype}")
    if array.shape != shape:
        raise ReferenceFailed(f"{label}: expected shape {shape}, found {array.shape}")
    if scalar.is_float:
        return array.astype(np.float64)
    if scalar.kind == "bool":
        return array.astype(bool)
    whole = array.astype(np.uint64 if scalar.name == "u64" else np.int64)
    if array.dtype.kind == "f" and not np.array_equal(whole, array):
        raise ReferenceFailed(f"{label}: expected integers for dtype {scalar}, found fractions, NaN or infinities")
    return whole


def _load(kernel: Kernel, spec: Any, key: str) -> tuple[Callable[..., Any], str]:
    if callable(spec):
        return spec, f"{kernel.origin}: reference.{key}"
    module_name, _, function = str(spec).partition(":")
    file = kernel.folder.joinpath(*module_name.strip().split(".")).with_suffix(".py")
    label = f"{kernel.origin}: reference.{key}"
    if not file.is_file():
        raise ReferenceFailed(f"{label}: no such file: {file}")
    name = f"_gpuport_reference_{abs(hash(file.resolve())):x}"
    info = importlib.util.spec_from_file_location(name, file)
    assert info is not None
    assert info.loader is not None
    module = importlib.util.module_from_spec(info)
    with _own_faults(kernel, label), _beside(kernel.folder):
        sys.modules[name] = module  # dataclasses and pickle look their module up
        try:
            info.loader.exec_module(module)
        finally:
            del sys.modules[name]
    fn = getattr(module, function.strip(), None)
    if not callable(fn):
        there = [k for k, v in vars(module).items() if callable(v) and getattr(v, "__module__", "") == name]
        raise ReferenceFailed(f"{label}: {file.name} has no function {function!r}; it has {', '.join(there) or 'none'}")
    return fn, f"{file}: {function.strip()}"


@contextlib.contextmanager
def _beside(folder: Path) -> Generator[None]:
    """Let the file import modules beside it, and leave no trace of them; what it prints goes to stderr.

    One thread at a time: modules, their path and standard output are the process's.
    """
    with _ALONE:
        before, path = set(sys.modules), str(folder.resolve())
        sys.path.insert(0, path)
        try:
            with contextlib.redirect_stdout(sys.stderr):
                yield
        finally:
            if path in sys.path:
                sys.path.remove(path)
            for name in set(sys.modules) - before:
                file = getattr(sys.modules[name], "__file__", None)
                if file and Path(file).resolve().is_relative_to(folder.resolve()) and "site-packages" not in file:
                    del sys.modules[name]


@contextlib.contextmanager
def _own_faults(kernel: Kernel, label: str) -> Generator[None]:
    """Turn whatever the user's code raises into one line with its place."""
    try:
        yield
    except (KeyboardInterrupt, GpuportError):
        raise
    except BaseException as error:
        if isinstance(error, SyntaxError):
            where = f"{error.filename}:{error.lineno}"
        else:
            frames = traceback.extract_tb(error.__traceback__)
            own = [f for f in frames if Path(f.filename).resolve().is_relative_to(kernel.folder.resolve())]
            frame = own[-1] if own else frames[-1]
            where = f"{frame.filename}:{frame.lineno}"
        text = " ".join(str(error).split())
        raise ReferenceFailed(f"{where}: {label} raised {type(error).__name__}{f': {text}' if text else ''}") from None
