"""Arguments as devices take them: types checked, scalars in their own type, buffers between guard zones."""

from __future__ import annotations

import numpy as np
import pytest
from gpuport.backends.arguments import Guarded, check_arguments, memory_dtype, scalar_value, unchanged
from gpuport.backends.base import KernelText, TextParam
from gpuport.backends.errors import ArgumentError
from hypothesis import given
from hypothesis import strategies as st

TEXT = KernelText(
    "opencl",
    "k",
    "",
    (TextParam("x", "buffer", "f32", "in"), TextParam("y", "buffer", "u8", "out"), TextParam("n", "scalar", "i32")),
)
X, Y = np.zeros(4, np.float32), np.zeros(4, np.uint8)


@given(
    size=st.integers(0, 70),
    guard=st.sampled_from([0, 1, 64, 200]),
    alignment=st.sampled_from([1, 128, 512]),
    dtype=st.sampled_from(["u1", "f4", "f8", "i2"]),
)
def test_a_guarded_array_comes_back_and_is_undamaged(size: int, guard: int, alignment: int, dtype: str):
    array = np.arange(size).astype(dtype)
    b = Guarded.of("x", array, guard, alignment)
    assert b.start % alignment == 0
    assert b.start >= guard
    assert b.image.nbytes - b.start - b.size >= guard
    assert b.image.nbytes > 0
    assert np.array_equal(b.contents(b.image), array)
    assert b.contents(b.image).dtype == array.dtype
    assert b.damage(b.image.copy()) == []


@given(at=st.integers(-64, 63), value=st.integers(1, 255))
def test_every_changed_byte_of_a_guard_is_found_and_placed(at: int, value: int):
    b = Guarded.of("y", np.zeros(16, np.float32), 64)
    image = b.image.copy()
    place = b.start + at if at < 0 else b.start + b.size + at
    image[place] ^= value
    side, byte = ("before", at) if at < 0 else ("after", 64 + at)
    assert b.damage(image) == [f"y: {side}, first damaged byte {byte} (element {byte // 4}), 1 byte"]


def test_guards_of_two_buffers_differ_so_that_a_copy_past_the_end_shows():
    a, b = (Guarded.of(n, np.zeros(4, np.float32), 256) for n in "ab")
    assert not np.any(a.image[-256:].view(np.uint32) == b.image[-256:].view(np.uint32))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_guards_read_as_nan(dtype: str):
    guard = Guarded.of("x", np.zeros(4, np.float32), 256).image[-256:].view(dtype)
    assert np.isnan(guard[1::2] if dtype == "f2" else guard).all()


def test_a_changed_input_is_no_damage_but_is_seen_in_the_contents():
    b = Guarded.of("x", np.zeros(4, np.float32), 64)
    image = b.image.copy()
    image[b.start] = 1
    assert b.damage(image) == []
    assert b.contents(image)[0] != 0


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        ("i32", -7, np.int32(-7)),
        ("u64", 2**63 + 1, np.uint64(2**63 + 1)),
        ("f32", 0.1, np.float32(0.1)),
        ("f16", 0.1, np.float16(0.1)),
        ("f64", 0.1, np.float64(0.1)),
        ("bool", True, np.uint8(1)),
        ("i8", 3.0, np.int8(3)),
        ("f32", float("inf"), np.float32(np.inf)),
    ],
)
def test_scalars_in_their_own_type(dtype: str, value: float, expected: np.generic):
    got = scalar_value(TextParam("a", "scalar", dtype), value)
    assert got.dtype == expected.dtype
    assert got == expected


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        ("i32", 2**31),
        ("u8", -1),
        ("i32", 1.5),
        ("i32", "1x"),
        ("f32", 1e60),
        ("f32", None),
        ("bf16", 1.0),
        ("i32", np.nan),
    ],
)
def test_a_scalar_that_does_not_fit_is_refused(dtype: str, value: object):
    with pytest.raises(ArgumentError, match="argument a"):
        scalar_value(TextParam("a", "scalar", dtype), value)


def test_vector_scalars_have_their_components():
    assert scalar_value(TextParam("a", "scalar", "f32x2"), (1, 2)).tolist() == [1.0, 2.0]
    with pytest.raises(ArgumentError, match="expected 4 components, got 2"):
        scalar_value(TextParam("a", "scalar", "f32x4"), (1, 2))


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"x": X, "y": Y}, "argument n: missing; expected a value of i32"),
        ({"x": X, "n": 1}, "argument y: missing; expected an array of u8"),
        ({"x": X, "y": Y, "n": 1, "m": 1}, "argument m: k has no such parameter; it has x, y, n"),
        ({"x": X.astype("f8"), "y": Y, "n": 1}, "argument x: expected an array of f32, got one of float64"),
        ({"x": X.view("i4"), "y": Y, "n": 1}, "argument x: expected an array of f32, got one of int32"),
        ({"x": [1.0], "y": Y, "n": 1}, "argument x: expected an array of f32, got list"),
        ({"x": X, "y": Y, "n": X}, "argument n: expected a value of i32"),
    ],
)
def test_arguments_that_do_not_fit_are_named(args: dict[str, object], message: str):
    with pytest.raises(ArgumentError, match=message.replace("(", r"\(")):
        check_arguments(TEXT, args)


def test_null_buffers_bools_and_bf16_bits_are_accepted():
    check_arguments(TEXT, {"x": None, "y": Y, "n": 1})
    flags = KernelText(
        "opencl", "k", "", (TextParam("b", "buffer", "bool", "in"), TextParam("h", "buffer", "bf16", "in"))
    )
    check_arguments(flags, {"b": np.zeros(3, bool), "h": np.zeros(3, np.uint16)})
    assert memory_dtype("bool") == np.uint8
    assert memory_dtype("bf16x4") == np.uint16


def test_unchanged_gives_copies():
    result = unchanged(TEXT, {"x": X, "y": None, "n": 1})
    assert result.buffers.keys() == {"x"}
    assert not np.shares_memory(result.buffers["x"], X)
