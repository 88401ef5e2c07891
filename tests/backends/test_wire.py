"""What a worker answers: results survive the way, and bytes that are no answer are an error and nothing else."""

from __future__ import annotations

import json

import numpy as np
import pytest
from gpuport.backends import wire
from gpuport.backends.base import Finding, RunResult
from gpuport.ir.nodes import Loc
from hypothesis import given
from hypothesis import strategies as st


def body(parts: list[bytes | memoryview]) -> bytearray:
    whole = bytearray(b"".join(bytes(p) for p in parts))
    assert int.from_bytes(whole[: wire.LENGTH_BYTES], "little") == len(whole) - wire.LENGTH_BYTES
    return whole[wire.LENGTH_BYTES :]


@given(sizes=st.lists(st.integers(0, 40), max_size=4), dtype=st.sampled_from(["f4", "u1", "i8", "f2"]), text=st.text())
def test_results_survive_the_way(sizes: list[int], dtype: str, text: str):
    sent = {f"b{i}": np.arange(n).astype(dtype) for i, n in enumerate(sizes)}
    result = RunResult(
        dict(sent), [text], [Finding("race", text, Loc(text, 3, 4)), Finding("limit", "m")], [0.5], False, text, "t"
    )
    fields, blobs = wire.read_answer(body(wire.result_answer(result)))
    got = wire.read_result(fields, blobs, sent)
    for name, array in sent.items():
        assert got.buffers[name].dtype == array.dtype
        assert np.array_equal(got.buffers[name], array)
        got.buffers[name][...] = 0
    assert (got.damaged_guards, got.findings, got.seconds) == (result.damaged_guards, result.findings, [0.5])
    assert (got.guards_checked, got.device, got.timing) == (False, text, "t")


@given(st.binary(max_size=200))
def test_any_bytes_are_an_answer_or_an_error(data: bytes):
    try:
        fields, _ = wire.read_answer(data)
    except wire.WireError:
        return
    assert isinstance(fields["kind"], str)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_any_json_head_is_an_answer_or_an_error(value: object):
    head = json.dumps(value).encode()
    with pytest.raises(wire.WireError):
        wire.read_answer(len(head).to_bytes(4, "little") + head)


@pytest.mark.parametrize(
    "change",
    [
        {"buffers": ["y"]},
        {"buffers": ["x", "x"]},
        {"buffers": "x"},
        {"findings": [[1, 2]]},
        {"findings": [["race", "m", ["f"]]]},
        {"seconds": ["soon"]},
        {"damaged_guards": None},
        {"device": ...},
    ],
)
def test_a_result_that_is_none_is_an_error(change: dict[str, object]):
    sent = {"x": np.zeros(3, np.float32)}
    fields, blobs = wire.read_answer(body(wire.result_answer(RunResult(dict(sent)))))
    fields = {k: v for k, v in {**fields, **change}.items() if v is not ...}
    with pytest.raises(wire.WireError):
        wire.read_result(fields, blobs, sent)


def test_a_buffer_of_another_size_is_an_error():
    fields, blobs = wire.read_answer(body(wire.result_answer(RunResult({"x": np.zeros(4, np.float32)}))))
    with pytest.raises(wire.WireError, match="other buffers"):
        wire.read_result(fields, blobs, {"x": np.zeros(3, np.float32)})
