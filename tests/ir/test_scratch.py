"""The lanes' scratch: declared once, passed where it is needed, and counted in words."""

from __future__ import annotations

import pytest
from gpuport.ir.diagnostics import Refusal
from gpuport.ir.printer import show_program
from gpuport.ir.rewrites.scratch import add_lane_scratch, lane_words
from gpuport.ir.types import F64
from gpuport.ir.validate import validate
from ir_build import F32, I32, X, Y, at, c, device, el, let, n, program, put, shuffle, var, x, y

INNER = device("inner", {"v": F32}, n.Return(shuffle(var("v", F32), 1)), returns=F32)
OUTER = device("outer", {"v": F32}, n.Return(n.Call("inner", (var("v", F32),), F32)), returns=F32)
PLAIN = device("plain", {"v": F32}, n.Return(var("v", F32)), returns=F32)


def test_passed_on() -> None:
    call = n.Call("outer", (n.Call("plain", (c(1.0, F32),), F32),), F32)
    p = program(let("v", call), n.Barrier(n.Scope.SUBGROUP), functions=(INNER, OUTER, PLAIN))
    got = add_lane_scratch(p, 128)
    validate(got)
    text = show_program(got)
    assert "device f32 inner(f32 v, shared u32* gp_lanes) {\n    return shuffle_xor(v, 1);" in text
    assert "    return inner(v, gp_lanes);" in text
    assert "device f32 plain(f32 v) {" in text
    assert "    shared u32 gp_lanes[128];\n    f32 v = outer(plain(1.0f), gp_lanes);\n    barrier(group);" in text


def test_words() -> None:
    assert lane_words(program(let("v", c(1)))) == 0
    assert lane_words(program(let("v", shuffle(c(1), 1)))) == 1
    wide = program(let("v", shuffle(n.Const(1.0, F64), 1)), let("w", shuffle(c(1), 1)))
    assert lane_words(wide) == 2
    assert "gp_lanes[64]" in show_program(add_lane_scratch(wide, 32))


def test_without_exchange_nothing_is_declared() -> None:
    p = program(put(el(y, 0), el(x, 0)), params=(X, Y))
    assert add_lane_scratch(p, 64) == p


def test_name_taken() -> None:
    kernel = n.Function("k", (n.Param("gp_lanes", I32),), (let("v", shuffle(c(1), 1)),), loc=at(2))
    with pytest.raises(Refusal, match=r"k\.cu:2: error GP2010: gp_lanes"):
        add_lane_scratch(n.Program(kernel), 32)
