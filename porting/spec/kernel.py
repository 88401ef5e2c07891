"""`Kernel`: a spec read from a file or made in Python."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ...backends.base import Launch
from ...hwmodels.errors import GpuportError
from ...ir.types import U8, Pointer, Scalar, Struct, Vector, buffer_scalar, scalars_in
from .expressions import Expression, ExpressionError
from .model import MEMBER, Argument, KernelModel, LaunchSpec, ReferenceSpec, VerifySpec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ...backends.base import Role
    from ...ir.nodes import Param

KERNEL_KEYS = ("source", "entry", "language", "defines", "include_dirs")
TABLES = ("kernel", "sizes", "args", "launch", "reference", "verify")


class SpecError(GpuportError):
    """A spec cannot be used: one line per problem, naming file, key and what was expected."""


@dataclass(frozen=True)
class Kernel:
    """A kernel to port: its source and entry, sizes, arguments, launch and reference.

    Made from keywords as in the TOML file (`Kernel(source="softmax.cu", entry="softmax<256>", sizes=..., args=...,
    launch=..., reference=...)`), or by `Kernel.load(path)`. Paths are relative to `folder`. Raises SpecError.
    """

    model: KernelModel
    folder: Path
    file: Path | None = None

    def __init__(
        self,
        *,
        source: str | Path,
        entry: str,
        args: Mapping[str, Any],
        launch: Mapping[str, Any] | LaunchSpec,
        sizes: Mapping[str, Sequence[int] | int] | None = None,
        reference: Mapping[str, Any] | ReferenceSpec | Callable[..., Any] | None = None,
        verify: Mapping[str, Any] | VerifySpec | None = None,
        language: str | None = None,
        defines: Mapping[str, str | int] | None = None,
        include_dirs: Sequence[str | Path] = (),
        folder: str | Path = ".",
    ) -> None:
        given: dict[str, Any] = {
            "source": source, "entry": entry, "args": dict(args), "launch": launch, "sizes": dict(sizes or {}),
            "reference": {"python": reference} if callable(reference) else reference or {}, "language": language,
            "defines": dict(defines or {}), "include_dirs": tuple(include_dirs), "verify": verify or {},
        }  # fmt: skip
        self._set(_validate(given, "Kernel(...)"), Path(folder), None)

    def _set(self, model: KernelModel, folder: Path, file: Path | None) -> None:
        for name, value in (("model", model), ("folder", folder), ("file", file)):
            object.__setattr__(self, name, value)

    @classmethod
    def load(cls, path: str | Path) -> Kernel:
        """Read a spec: NAME.kernel.toml, or a source file with NAME.kernel.toml beside it. Raises SpecError."""
        given = Path(path)
        file = given if given.suffix == ".toml" else given.with_name(f"{given.stem}.kernel.toml")
        if not given.exists():
            raise SpecError(f"{given}: no such file")
        if not file.exists():
            raise SpecError(f"{given}: no spec beside it: expected {file}")
        try:
            data: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise SpecError(f"{file}: {error.strerror or error}") from None
        except UnicodeDecodeError:
            raise SpecError(f"{file}: expected UTF-8 text") from None
        except tomllib.TOMLDecodeError as error:
            raise SpecError(f"{file}: not TOML: {error}") from None
        flat = _flatten(data, str(file))
        kernel = cls.__new__(cls)
        kernel._set(_validate(flat, str(file)), file.parent, file)
        if not kernel.source.is_file():
            raise SpecError(f"{file}: kernel.source: no such file: {kernel.source}")
        if given.suffix != ".toml" and given.resolve() != kernel.source.resolve():
            raise SpecError(f"{file}: kernel.source: expected {given.name}, found {kernel.model.source}")
        return kernel

    @property
    def name(self) -> str:
        """The entry without its template arguments and namespaces."""
        return self.model.entry.split("<")[0].strip().rsplit("::", 1)[-1]

    @property
    def source(self) -> Path:
        """The source file."""
        return self.folder / self.model.source

    @property
    def origin(self) -> str:
        """What errors call this spec."""
        return str(self.file) if self.file else "Kernel(...)"

    @property
    def args(self) -> dict[str, Argument]:
        """Arguments by name, in the order of the kernel's parameters."""
        return self.model.args

    @property
    def roles(self) -> dict[str, Role]:
        """Roles of the buffers; null pointers count as inputs."""
        return {n: "in" if a.role in (None, "null") else a.role for n, a in self.args.items() if a.is_buffer}

    def size_sets(self) -> list[dict[str, int]]:
        """Return the sizes to try: the lists side by side, shorter ones cycled, so that every value occurs once."""
        sizes = self.model.sizes
        count = max((len(v) for v in sizes.values()), default=1)
        sets = [{name: values[i % len(values)] for name, values in sizes.items()} for i in range(count)]
        return [s for i, s in enumerate(sets) if s not in sets[:i]]

    @property
    def generated(self) -> tuple[str, ...]:
        """The symbols for which sizes may be made up."""
        named = self.model.verify.generate
        return tuple(self.model.sizes) if named is None else named

    def launch(self, sizes: Mapping[str, int], constants: Mapping[str, int]) -> Launch:
        """Return the launch for sizes; `constants` are the entry's template arguments and integer defines.

        Raises SpecError for an expression without a value, or an empty or negative launch.
        """
        names = {**self.integer_defines(), **constants, **sizes}
        spec = self.model.launch

        def triple(key: str, parts: Sequence[Expression]) -> tuple[int, int, int]:
            found = [self._evaluate(f"launch.{key}", e, names) for e in parts] + [1, 1]
            if key == "block" and min(found) < 1:
                raise SpecError(
                    f"{self.origin}: launch.{key}: expected at least 1 thread along each axis, found {found[:3]}"
                )
            if min(found) < 0:
                raise SpecError(f"{self.origin}: launch.{key}: expected no negative number, found {found[:3]}")
            return found[0], found[1], found[2]

        shared = self._evaluate("launch.shared", spec.shared, names)
        if shared < 0:
            raise SpecError(f"{self.origin}: launch.shared: expected bytes, found {shared}")
        return Launch(triple("grid", spec.grid), triple("block", spec.block), shared)

    def integer_defines(self) -> dict[str, int]:
        """Return the defines that are integers."""
        out: dict[str, int] = {}
        for name, text in self.model.defines.items():
            try:
                out[name] = int(text.strip("() uUlL"), 0)
            except ValueError:
                continue
        return out

    def launch_names(self) -> frozenset[str]:
        """Return the names that the launch expressions use."""
        spec = self.model.launch
        return frozenset().union(*(e.names for e in (*spec.grid, *spec.block, spec.shared)))

    def shape(self, name: str, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """Return a buffer's shape for sizes."""
        shape = self.args[name].shape or ()
        found = tuple(self._evaluate(f"args.{name}.shape", e, sizes) for e in shape)
        if any(n < 0 for n in found):
            raise SpecError(f"{self.origin}: args.{name}.shape: expected no negative number, found {found}")
        return found

    def scalar(self, name: str, sizes: Mapping[str, int]) -> int | float:
        """Return a scalar argument's value for sizes."""
        value = self.args[name].value
        if isinstance(value, Expression):
            found = self._evaluate(f"args.{name}.value", value, sizes)
            return float(found) if self.args[name].scalar.is_float else found
        assert value is not None
        return value

    def _evaluate(self, key: str, e: Expression, values: Mapping[str, int]) -> int:
        try:
            return e.evaluate(values)
        except ExpressionError as error:
            raise SpecError(f"{self.origin}: {key}: {error}") from None

    def _settle_members(self, params: Sequence[Param]) -> None:
        """Give the members of struct arguments the types that the kernel's parameters have."""
        args = dict(self.args)
        for p in params:
            arg = args[p.name]
            if arg.dtype == MEMBER:
                try:
                    args[p.name] = Argument(dtype=p.type, value=arg.value)
                except ValidationError as error:
                    found = "\n".join(line for e in error.errors() for line in _explain(dict(e), self.origin))
                    raise SpecError(f"{self.origin}: args.{p.name}: {found}") from None
        if args != self.args:
            object.__setattr__(self, "model", self.model.model_copy(update={"args": args}))

    def check_parameters(self, params: Sequence[Param]) -> None:
        """Check the arguments against the kernel's parameters: names, order, types. Raises SpecError."""
        problems: list[str] = []
        wanted, given = [p.name for p in params], list(self.args)
        if wanted != given:
            raise SpecError(
                f"{self.origin}: args: expected the kernel's parameters in order, ({', '.join(wanted)}), "
                f"found ({', '.join(given)})"
            )
        self._settle_members(params)
        for p in params:
            arg = self.args[p.name]
            if isinstance(p.type, Pointer):
                elem = p.type.elem
                if not arg.is_buffer:
                    problems.append(f"args.{p.name}: expected a buffer (shape and role) of {elem}, found a scalar")
                elif isinstance(elem, Struct):
                    held = buffer_scalar(elem)
                    if arg.dtype != held:
                        what = f"{held}, {elem.size // held.size} for each {elem}"
                        problems.append(f"args.{p.name}.dtype: expected {what}, found {arg.dtype}")
                    elif (
                        arg.role in ("out", "inout") and not all(s.is_integer for s in scalars_in(elem)) and held == U8
                    ):
                        what = "of one type without padding, for nothing else is compared with a bound"
                        problems.append(f"args.{p.name}: expected the members of the output {elem} {what}")
                elif not isinstance(elem, Scalar | Vector) or arg.dtype != elem:
                    problems.append(f"args.{p.name}.dtype: expected {elem}, as in the kernel, found {arg.dtype}")
                elif p.type.const and arg.role in ("out", "inout"):
                    problems.append(f"args.{p.name}.role: expected 'in' for a pointer to const, found {arg.role!r}")
            elif arg.is_buffer:
                problems.append(f"args.{p.name}: expected value for the scalar {p.type}, found a buffer")
            elif arg.dtype != p.type:
                problems.append(f"args.{p.name}.dtype: expected {p.type}, as in the kernel, found {arg.dtype}")
        if problems:
            raise SpecError("\n".join(f"{self.origin}: {p}" for p in problems))


def _flatten(data: dict[str, Any], origin: str) -> dict[str, Any]:
    problems = [f"{origin}: {key}: unknown table{_near(key, TABLES)}" for key in data if key not in TABLES]
    if "constants" in data:
        problems = [f"{origin}: constants: __constant__ symbols go into [args], behind the kernel's parameters"]
    kernel: Any = data.get("kernel")
    if not isinstance(kernel, dict):
        problems.append(f"{origin}: kernel: expected the table [kernel] with source and entry")
        kernel = {}
    problems += [f"{origin}: kernel.{k}: unknown key{_near(k, KERNEL_KEYS)}" for k in kernel if k not in KERNEL_KEYS]
    if problems:
        raise SpecError("\n".join(problems))
    return {**kernel, **{k: v for k, v in data.items() if k != "kernel"}}


def _near(key: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(key, known, 1)
    return f"; did you mean {near[0]!r}?" if near else f"; expected one of {', '.join(known)}"


def _validate(data: Mapping[str, Any], origin: str) -> KernelModel:
    try:
        return KernelModel.model_validate(data)
    except ValidationError as error:
        lines = [line for e in error.errors() for line in _explain(dict(e), origin)]
        raise SpecError("\n".join(dict.fromkeys(lines))) from None


_FIELDS: dict[str, Sequence[str]] = {
    "args": tuple(Argument.model_fields),
    "launch": tuple(LaunchSpec.model_fields),
    "reference": tuple(ReferenceSpec.model_fields),
    "verify": tuple(VerifySpec.model_fields),
}


def _explain(error: dict[str, Any], origin: str) -> list[str]:
    path = [str(p) for p in error["loc"] if p not in ("Expression", "Tolerance") and "function-" not in str(p)]
    path = [p for p in path if not p.startswith(("literal[", "float", "is-instance"))]
    if path and path[0] in KERNEL_KEYS:
        path.insert(0, "kernel")
    key = ".".join(path)
    kind, message = error["type"], str(error["msg"])
    if kind == "extra_forbidden":
        return [f"{origin}: {key}: unknown key{_near(path[-1], _FIELDS.get(path[0], KERNEL_KEYS))}"]
    if kind == "missing":
        return [f"{origin}: {key}: expected, but missing"]
    message = message.removeprefix("Value error, ")
    if not key:
        return [f"{origin}: {line}" for line in message.split("\n")]
    if kind != "value_error":
        message = f"{message[0].lower()}{message[1:]}, found {error.get('input')!r}"
    return [f"{origin}: {key}: {message}"]
