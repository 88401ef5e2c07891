"""Trees without the functions that nothing refers to: the rest is as it was, its locations too."""

from __future__ import annotations

import json
from pathlib import Path

import gpuport
import pytest
from gpuport.backends.clang import pruning, tool

INCLUDE = Path(gpuport.__file__).parent / "backends" / "opencl" / "include"
FLAGS = ["-x", "cl", "-cl-std=CL3.0", "-cl-no-stdinc", "-target", "spir64-unknown-unknown", "-include"]
SOURCE = """float twice(float x);
__kernel void k(__global float *y, __global int *z) {
  y[get_global_id(0)] = twice(fma(y[0], y[1], exp(y[2])));
  z[0] = atomic_add(z, 2); barrier(CLK_LOCAL_MEM_FENCE);
}
float twice(float x) { return x + x; }
"""


@pytest.fixture(scope="module")
def tree() -> bytes:
    with tool._written(SOURCE, ".cl") as path:
        found, said = tool._tree(
            [*FLAGS, str(next(INCLUDE.glob("*.h"))), "-Xclang", "-ast-dump=json", "-fsyntax-only", path]
        )
    assert found, said
    return found


def test_what_is_left_is_as_it_was(tree):
    text, starts = pruning.pruned(tree)
    whole, small = json.loads(tree), json.loads(text)
    tool.fill_locations(whole)
    tool.fill_locations(small, starts)
    assert len(starts) == len(small["inner"]) < len(whole["inner"]) / 5
    kept = {node["id"] for node in small["inner"]}
    assert [node for node in whole["inner"] if node["id"] in kept] == small["inner"]


def test_only_functions_without_a_body_that_nothing_names_are_left_out(tree):
    text, _ = pruning.pruned(tree)
    kept = {node["id"] for node in json.loads(text)["inner"]}
    gone = [node for node in json.loads(tree)["inner"] if node["id"] not in kept]
    assert {node["kind"] for node in gone} == {"FunctionDecl"}
    assert not any(child["kind"] == "CompoundStmt" for node in gone for child in node.get("inner", ()))
    assert not {node["id"].encode() for node in gone} & set(pruning._ID.findall(text))
    names = [node.get("name") for node in json.loads(text)["inner"]]
    assert names.count("twice") == 2  # the user's own, and its earlier declaration
    assert {"fma", "exp", "barrier", "k"} <= set(names)
