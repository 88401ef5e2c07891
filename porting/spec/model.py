"""The kernel spec: what to port, with which arguments, launched how, checked against what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from ...ir.types import Scalar, Vector, parse_dtype
from .expressions import Expression, ExpressionError, parse_expression

Languages = Literal["cuda", "opencl", "hip", "metal", "triton"]


def _expression(value: Any) -> Expression:
    if isinstance(value, Expression):
        return value
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"expected an integer or an expression, found {value!r}")
    try:
        return parse_expression(value)
    except ExpressionError as error:
        raise ValueError(str(error)) from None


def _dtype(value: Any) -> Scalar | Vector:
    if isinstance(value, Scalar | Vector):
        return value
    return parse_dtype(str(value))


MEMBER = Scalar("member", "int", 64)
"""The dtype of a member of a struct until the kernel's parameters are known."""

Expr = Annotated[Expression, BeforeValidator(_expression)]
DType = Annotated[Any, BeforeValidator(_dtype)]


class Strict(BaseModel):
    """Base: unknown keys are errors, objects do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Argument(Strict):
    """One argument of the kernel.

    A buffer has `shape` (C order) and `role`; `inout` ones may have `init`, a number that fills them beforehand. A
    scalar has `value`: a number, or an expression over the sizes. `role = "null"` passes a null pointer.
    """

    dtype: DType
    shape: tuple[Expr, ...] | None = None
    role: Literal["in", "out", "inout", "null"] | None = None
    init: float | int | None = None
    value: float | Expr | None = Field(default=None)

    @field_validator("value", mode="before")
    @classmethod
    def _read_value(cls, value: Any) -> Any:
        return value if isinstance(value, float) or value is None else _expression(value)

    @model_validator(mode="after")
    def _consistent(self) -> Argument:
        if self.value is not None:
            if self.shape is not None or self.role not in (None, "in") or self.init is not None:
                raise ValueError("expected either value (a scalar) or shape and role (a buffer), found both")
            if isinstance(self.dtype, Vector):
                raise ValueError(f"expected a scalar dtype beside value, found {self.dtype}")
            if isinstance(self.value, float) and not self.dtype.is_float and self.dtype != MEMBER:
                raise ValueError(
                    f"expected an integer or an expression as value of dtype {self.dtype}, found {self.value}"
                )
        elif self.role == "null":
            pass
        elif self.shape is None or self.role is None:
            raise ValueError("expected shape and role (a buffer) or value (a scalar)")
        if self.init is not None and self.role != "inout":
            raise ValueError("expected init only beside role = 'inout'")
        return self

    @property
    def is_buffer(self) -> bool:
        """True for a buffer (null pointers too)."""
        return self.value is None

    @property
    def scalar(self) -> Scalar:
        """The dtype of one number of it."""
        return self.dtype.elem if isinstance(self.dtype, Vector) else self.dtype

    @property
    def lanes(self) -> int:
        """Numbers per element: more than 1 for vector dtypes."""
        return self.dtype.lanes if isinstance(self.dtype, Vector) else 1


class LaunchSpec(Strict):
    """Groups in the grid, threads in a group, dynamic shared memory in bytes: expressions over sizes and constants."""

    grid: tuple[Expr, ...] = Field(min_length=1, max_length=3)
    block: tuple[Expr, ...] = Field(min_length=1, max_length=3)
    shared: Expr = Field(default_factory=lambda: parse_expression(0))

    @field_validator("grid", "block", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return [value] if isinstance(value, int | str) else value


class Tolerance(Strict):
    """A tolerance that the user sets in place of the derived bound: |got - expected| <= atol + rtol * |expected|."""

    rtol: float = Field(default=0.0, ge=0)
    atol: float = Field(default=0.0, ge=0)


class ReferenceSpec(Strict):
    """The oracle: `python` (inputs -> outputs) and, if random data will not do, `inputs` (rng, sizes -> inputs).

    Both are `module:function` beside the spec, or functions. `compare` says how each output is compared.
    """

    python: Any = None
    inputs: Any = None
    compare: dict[str, Literal["float", "exact", "sorted"] | Tolerance] = Field(default_factory=dict)

    @field_validator("python", "inputs")
    @classmethod
    def _callable(cls, value: Any) -> Any:
        if value is None or callable(value):
            return value
        if isinstance(value, str) and value.count(":") == 1 and all(part.strip() for part in value.split(":")):
            return value
        raise ValueError(f"expected 'module:function' or a function, found {value!r}")


class VerifySpec(Strict):
    """What is tried besides the sizes of the spec.

    `generate`: the symbols for which sizes are made up, around tiles and at the ends; default all, [] for none.
    `alias`: pairs of an `in` and an `out` buffer that a caller may pass the same memory for.
    """

    generate: tuple[str, ...] | None = None
    alias: tuple[tuple[str, str], ...] = ()


def _struct_members(name: str, value: Any) -> dict[str, Any]:
    """The members of a struct argument by their parameters' names; a list is an array, a table a struct or vector.

    A table with dtype is a buffer that the member points to.
    """
    if isinstance(value, dict) and "dtype" not in value:
        table = cast("dict[str, Any]", value)
        return {k: v for key, item in table.items() for k, v in _struct_members(f"{name}_{key}", item).items()}
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return {k: v for i, item in enumerate(items) for k, v in _struct_members(f"{name}_{i}", item).items()}
    return {name: value if isinstance(value, dict) else {"dtype": MEMBER, "value": value}}


class KernelModel(Strict):
    """The validated content of a spec; `Kernel` adds where it came from and what can be done with it."""

    source: Path
    entry: str = Field(min_length=1)
    language: Languages | None = None
    defines: dict[str, str] = Field(default_factory=dict)
    include_dirs: tuple[Path, ...] = ()
    sizes: dict[str, tuple[Annotated[int, Field(ge=0)], ...]] = Field(default_factory=dict)
    args: dict[str, Argument]
    launch: LaunchSpec
    reference: ReferenceSpec = Field(default_factory=ReferenceSpec)
    verify: VerifySpec = Field(default_factory=VerifySpec)

    @field_validator("args", mode="before")
    @classmethod
    def _members(cls, value: Any) -> Any:
        """Put each member of a struct argument in its place: `p = { struct = ..., value = { a = 1 } }` becomes p_a."""
        if not isinstance(value, dict):
            return value
        out: dict[str, Any] = {}
        for name, arg in cast("dict[str, Any]", value).items():
            if isinstance(arg, dict) and "struct" in arg:
                given = cast("dict[str, Any]", arg)
                if given.keys() - {"struct", "value"} or not isinstance(given.get("value"), dict):
                    raise ValueError(f'{name}: expected a struct as {{ struct = "NAME", value = {{ member = ... }} }}')
                out.update(_struct_members(name, given["value"]))
            else:
                out[name] = arg
        return out

    @field_validator("defines", mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {k: str(v) if isinstance(v, int | str) and not isinstance(v, bool) else v for k, v in value.items()}
        return value

    @field_validator("sizes", mode="before")
    @classmethod
    def _listed_sizes(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {k: [v] if isinstance(v, int) else v for k, v in value.items()}
        return value

    @field_validator("sizes")
    @classmethod
    def _not_empty(cls, value: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
        for name, values in value.items():
            if not values:
                raise ValueError(f"{name}: expected at least one size, found none")
            if not name.isidentifier() or name in ("min", "max", "cdiv"):
                raise ValueError(f"expected a name for a size, found {name!r}")
        return value

    @model_validator(mode="after")
    def _known_names(self) -> KernelModel:
        problems: list[str] = []
        for name, arg in self.args.items():
            for e in (*(arg.shape or ()), *([arg.value] if isinstance(arg.value, Expression) else ())):
                unknown = sorted(e.names - self.sizes.keys())
                if unknown:
                    known = ", ".join(self.sizes) or "none"
                    problems.append(
                        f"args.{name}: expected names of sizes ({known}), found {unknown[0]!r} in {e.text!r}"
                    )
        for symbol in self.verify.generate or ():
            if symbol not in self.sizes:
                known = ", ".join(self.sizes) or "none"
                problems.append(f"verify.generate: expected names of sizes ({known}), found {symbol!r}")
        for pair in self.verify.alias:
            a, b = (self.args.get(name) for name in pair)
            if a is None or b is None or (a.role, b.role) != ("in", "out"):
                problems.append(f"verify.alias: expected an in and an out buffer, found {pair[0]!r} and {pair[1]!r}")
            elif a.dtype != b.dtype or [e.text for e in a.shape or ()] != [e.text for e in b.shape or ()]:
                problems.append(
                    f"verify.alias: expected one dtype and one shape, found those of {pair[0]} and {pair[1]}"
                )
        for output in self.reference.compare:
            if output not in self.args or self.args[output].role not in ("out", "inout"):
                problems.append(f"reference.compare.{output}: expected the name of an out or inout argument")
        if problems:
            raise ValueError("\n".join(problems))
        return self
