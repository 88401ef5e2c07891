"""The examples' spec files, read with nothing but tomllib: sizes, shapes, launches and inputs for the tests here."""

from __future__ import annotations

import importlib.util
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(p.parent.name for p in EXAMPLES.glob("*/*.kernel.toml"))
DTYPES = {"f32": np.float32, "i32": np.int32, "u32": np.uint32, "u8": np.uint8}

# values of the entry's template parameters, which launch expressions may name
TEMPLATE = {
    "softmax": {"BLOCK": 256},
    "rmsnorm": {"BLOCK": 256},
    "sgemm": {"TILE": 16},
    "transpose": {"TILE_DIM": 32, "BLOCK_ROWS": 8},
}


@dataclass
class Example:
    """One example's folder: its spec as a dict and its reference module."""

    name: str
    spec: dict[str, Any]
    module: Any

    @property
    def source(self) -> Path:
        return EXAMPLES / self.name / self.spec["kernel"]["source"]

    @property
    def reference(self) -> Callable[[dict[str, Any]], dict[str, np.ndarray]]:
        return getattr(self.module, self.spec["reference"]["python"].partition(":")[2])

    def cases(self) -> list[dict[str, int]]:
        """The size lists side by side."""
        lists: dict[str, list[int]] = self.spec["sizes"]
        return [{k: v[i] for k, v in lists.items()} for i in range(max(map(len, lists.values())))]

    def evaluate(self, expression: Any, sizes: dict[str, int]) -> Any:
        """An expression of the spec as a number."""
        defines = {k: int(v) for k, v in self.spec["kernel"].get("defines", {}).items()}
        names = {**sizes, **defines, **TEMPLATE.get(self.name, {}), "cdiv": lambda a, b: -(-a // b), "min": min}
        return eval(expression, {"__builtins__": {}}, names) if isinstance(expression, str) else expression

    def launch(self, key: str, sizes: dict[str, int]) -> tuple[int, ...]:
        return tuple(self.evaluate(e, sizes) for e in self.spec["launch"][key])

    def shape(self, arg: str, sizes: dict[str, int]) -> tuple[int, ...]:
        return tuple(self.evaluate(e, sizes) for e in self.spec["args"][arg]["shape"])

    def inputs(self, sizes: dict[str, int], seed: int) -> dict[str, Any]:
        """Arrays in their own dtypes and scalars, outputs left out."""
        rng = np.random.default_rng(seed)
        own = self.spec["reference"].get("inputs")
        values: dict[str, Any] = getattr(self.module, own.partition(":")[2])(rng, sizes) if own else {}
        for name, arg in self.spec["args"].items():
            if "value" in arg:
                values[name] = self.evaluate(arg["value"], sizes)
            elif arg["role"] == "inout":
                values[name] = np.full(self.shape(name, sizes), arg["init"], DTYPES[arg["dtype"]])
            elif arg["role"] == "in" and name not in values:
                values[name] = rng.standard_normal(self.shape(name, sizes)).astype(DTYPES[arg["dtype"]])
        return values

    @staticmethod
    def wide(values: dict[str, Any]) -> dict[str, Any]:
        """The inputs as a reference takes them: floats in float64."""
        arrays = {k: v for k, v in values.items() if isinstance(v, np.ndarray) and v.dtype.kind == "f"}
        return {**values, **{k: v.astype(np.float64) for k, v in arrays.items()}}


def load(name: str) -> Example:
    """One example by name."""
    folder = EXAMPLES / name
    spec = tomllib.loads((folder / f"{name}.kernel.toml").read_text())
    module_name = spec["reference"]["python"].partition(":")[0]
    found = importlib.util.spec_from_file_location(f"example_{module_name}", folder / f"{module_name}.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return Example(name, spec, module)


@pytest.fixture(params=NAMES)
def example(request: pytest.FixtureRequest) -> Example:
    """Each of the examples in turn."""
    return load(request.param)
