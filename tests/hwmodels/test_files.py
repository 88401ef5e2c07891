from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from gpuport.hwmodels import MachineError, load_machine
from gpuport.hwmodels.files import parse_model
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

MEMORY = "[memory]\nbandwidth = "

# Body of the file -> what its one line must say.
BAD = {
    "bare number": (MEMORY + "120", ["memory.bandwidth: bare number 120"]),
    "bare number in a fact": (MEMORY + '{ v = 120, src = "drv" }', ["memory.bandwidth: bare number 120", "B/s"]),
    "bare list": ("[limits]\ngroup_dim = [1, 1, 1]", ["limits.group_dim: bare value"]),
    "wrong unit": (MEMORY + '{ v = "120 MHz", src = "drv" }', ["memory.bandwidth: wrong unit 'MHz'", "B/s"]),
    "no unit": (MEMORY + '{ v = "120", src = "drv" }', ["memory.bandwidth: '120' is no quantity"]),
    "unknown table": ("[memmory]\nbandwidth = { }", ["memmory: unknown key"]),
    "unknown fact": ('[memory]\nbandwith = { v = "1 GB/s", src = "drv" }', ["memory.bandwith", "memory.bandwidth"]),
    "unknown key of a fact": (MEMORY + '{ v = "1 GB/s", src = "drv", sauce = 1 }', ["memory.bandwidth.sauce: unknown"]),
    "unknown source": (MEMORY + '{ v = "1 GB/s", src = "rumour" }', ["memory.bandwidth", "'rumour' is not defined"]),
    "no source": (MEMORY + '{ v = "1 GB/s" }', ["memory.bandwidth: no source"]),
    "unknown with a value": (MEMORY + '{ v = "1 GB/s", kind = "unknown" }', ["memory.bandwidth", "takes no value"]),
    "nothing": (MEMORY + '{ src = "drv" }', ["memory.bandwidth: no value"]),
    "unknown kind": (MEMORY + '{ v = "1 GB/s", src = "drv", kind = "guess" }', ["memory.bandwidth.kind", "'guess'"]),
    "text for a bool": ('[features]\nfp64 = { v = "yes", src = "drv" }', ["features.fp64: 'yes'", "true or false"]),
    "bool for a number": (MEMORY + '{ v = true, src = "drv" }', ["memory.bandwidth: True", "B/s"]),
    "word not among the choices": (
        '[numerics]\nsubnormals_f32 = { v = "maybe", src = "drv" }',
        ["numerics.subnormals_f32: 'maybe'", "kept, flushed"],
    ),
    "list for one value": (MEMORY + '{ v = ["1 GB/s"], src = "drv" }', ["memory.bandwidth", "expected one value"]),
    "one value for a list": (
        '[limits]\ngroup_dim = { v = "64 thread", src = "drv" }',
        ["limits.group_dim", "expected a list"],
    ),
    "shape": ('[matrix]\nmma.f16.f32 = { v = ["16x8"], src = "drv" }', ["matrix.mma.f16.f32", "no matrix shape"]),
    "dtype": ('[rates]\nvector.float = { v = "1 Top/s", src = "drv" }', ["rates.vector.float: unknown key"]),
    "fraction of a byte": ('[shared]\nbanks = { v = "1.5 bank", src = "drv" }', ["shared.banks: 1.5", "whole number"]),
    "a fact where a table belongs": ("[cache]\nl2 = { v = 1 }", ["cache.l2", "expected a table", "size"]),
    "conflict without a source": (
        MEMORY + '{ v = "1 GB/s", src = "drv", conflicts = [{ v = "2 GB/s", src = "rumour" }] }',
        ["memory.bandwidth", "'rumour'"],
    ),
    "source taken twice": ('[sources.drv]\ntitle = "x"\nclass = "driver"', ["sources.drv: already defined"]),
    "source without class": ('[sources.mine]\ntitle = "x"', ["sources.mine.class: missing"]),
    "not TOML": ("[memory", ["not TOML"]),
    "unknown header key": ('[colour]\nx = "y"', ["colour: unknown key"]),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_file_gives_one_line_with_file_and_key(what: str, model: Callable[..., Path]) -> None:
    body, parts = BAD[what]
    path = model(body)
    with pytest.raises(MachineError) as caught:
        load_machine(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    for part in parts:
        assert part in message


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ('name = "Mine"\nextends = "h200"\nlayer = "planet"', "layer: "),
        ('extends = "h200"', "name: missing"),
        ('name = "Mine"\nextends = "nothing-known"', "extends: no machine model is called 'nothing-known'"),
        ('name = "Mine"', "vendor: missing"),
        ('name = "Mine"\nextends = "mine"', "extends: goes in a circle: mine -> mine"),
    ],
)
def test_bad_header(header: str, part: str, model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = model("", header=header)
    monkeypatch.setenv("GPUPORT_HWMODELS", str(path.parent))
    with pytest.raises(MachineError, match="mine.toml: " + part):
        load_machine(path)


def test_circle_of_three(model: Callable[..., Path]) -> None:
    for name, parent in (("a1", "b1"), ("b1", "c1"), ("c1", "a1")):
        last = model("", name=name, header=f'name = "{name}"\nextends = "{parent}"')
    with pytest.raises(MachineError, match="extends: goes in a circle: c1 -> a1 -> b1 -> c1"):
        load_machine(last)


def test_missing_and_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="no such model file"):
        load_machine(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b'schema = "machine/1" # \xe9')
    with pytest.raises(MachineError, match="not UTF-8"):
        load_machine(tmp_path / "latin.toml")


def refusal(text: str) -> str:
    """What the loader says against a file's text; empty if it accepts it. Anything but MachineError is our bug."""
    try:
        parse_model(Path("any.toml"), text)
    except MachineError as error:
        return str(error)
    return ""


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_model_or_one_clear_error(text: str) -> None:
    for body in (text, f'schema = "machine/1"\nid = "x"\nname = "x"\n[memory]\nsize = {text}\n'):
        message = refusal(body)
        assert not message or "any.toml: " in message


ANYTHING = st.recursive(
    st.booleans() | st.integers(-10, 10**12) | st.text("abKiBs/ 0123", max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["v", "unit", "src", "kind", "x"]), inner)
    ),
    max_leaves=6,
)
TABLES = st.sampled_from(["memory", "rates", "cache", "limits", "nothing"])


@settings(max_examples=200, deadline=None)
@given(TABLES, st.dictionaries(st.sampled_from(["size", "bandwidth", "vector", "l2", "x"]), ANYTHING, min_size=1))
def test_any_table_is_refused_or_read(table: str, content: dict[str, object]) -> None:
    # A TOML inline table is JSON with = for the colon.
    inline = json.dumps(content).replace('": ', '" = ')
    message = refusal(f'schema = "machine/1"\nid = "x"\nname = "x"\n{table} = {inline}\n')
    assert message.startswith(f"any.toml: {table}")
