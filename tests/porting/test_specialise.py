"""Specialisation: each limit and ability of the destination, with the numbers and facts that decided."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import pytest
from gpuport.hwmodels import Machine, load_machine
from gpuport.ir.diagnostics import Refusal, Severity
from gpuport.ir.printer import show_program
from gpuport.ir.types import F32, F64, I32, U32, U64, Array, Pointer, Space
from gpuport.ir.validate import validate
from gpuport.porting.specialise import Specialised, fits, specialise

sys.path.insert(0, str(Path(__file__).parents[1] / "ir"))

from ir_build import (
    BARRIER,
    N,
    X,
    Y,
    at,
    c,
    count,
    device,
    el,
    let,
    n,
    op,
    program,
    put,
    shared,
    shuffle,
    size,
    tid,
    var,
    when,
    x,
    y,
)

H100 = load_machine("h100")
LANGUAGE = {"cpu": "opencl", "mi300x": "opencl", "m4": "metal", "h100": "cuda"}
COPY = program(put(el(y, tid()), el(x, tid())), params=(X, Y, N))
SUM = device("sum1", {"v": I32}, n.Return(op(var("v"), "+", shuffle(var("v"), 1))), returns=I32)
FIRST_WARP = program(
    let("v", el(x, tid())),
    when(op(tid(), "<", 32), put(var("v"), n.Call("sum1", (var("v"),), I32)), loc=at(4)),
    put(el(y, tid()), var("v")),
    params=(X, Y, N),
    functions=(SUM,),
)
ROLES = {"x": "in", "y": "out"}


def done(
    p: n.Program, dst: str | Machine, block: tuple[int, int, int] = (256, 1, 1), shared_bytes: int = 0, **kw: object
) -> Specialised:
    machine = load_machine(dst) if isinstance(dst, str) else dst
    language = LANGUAGE[machine.id.removesuffix("-sxm")]
    kw = {"roles": ROLES, **kw}
    got = specialise(p, H100, machine, language=language, block=block, max_block=block, shared_bytes=shared_bytes, **kw)  # type: ignore[arg-type]
    validate(got.program)
    for d in got.decisions:
        json.dumps(d.as_dict())
        for f in d.facts:
            assert f.text == load_machine(f.machine).fact(f.path).cite()
    return got


def refused(p: n.Program, dst: str | Machine, *args: object, **kw: object) -> list[str]:
    with pytest.raises(Refusal) as caught:
        done(p, dst, *args, **kw)  # type: ignore[arg-type]
    return [str(d) for d in caught.value.diagnostics if d.severity is Severity.ERROR]


def decided(got: Specialised) -> str:
    return "\n".join(str(d) for d in got.decisions)


@pytest.mark.parametrize("dst", ["cpu", "m4", "mi300x", "h100"])
def test_nothing_to_do(dst: str) -> None:
    got = done(COPY, dst)
    assert got.program is COPY
    assert not [d for d in got.diagnostics if d.severity is Severity.ERROR]


def test_group_too_large() -> None:
    found = refused(COPY, "m4", (2048, 1, 1))
    assert len(found) == 1
    assert "GP2001: a group has 2048 threads (2048 x 1 x 1); Apple M4 takes" in found[0]
    assert "1,024" in found[0] or "1024" in found[0]
    assert "GP2001: a group has 128 threads along z" in refused(COPY, "h100", (1, 1, 128))[0]


def test_shared_memory() -> None:
    p = program(dataclasses.replace(shared("tile", F32, 10240), loc=at(3)), BARRIER, params=(X, Y, N))
    (found,) = refused(p, "m4")
    assert found.startswith(
        "k.cu:3: error GP2002: a group needs 40960 B of shared memory (40960 B declared); Apple M4 has 32 KiB"
    )
    assert "40960 B of shared memory in a group: 40960 B of 65536 B" in decided(done(p, "mi300x"))
    assert fits(p, load_machine("m4"), (256, 1, 1), 0, "metal") != []
    assert fits(p, load_machine("mi300x"), (256, 1, 1), 0, "opencl") == []
    dynamic = program(shared("dyn", F32, 0), params=(X, Y, N))
    assert "(40000 B at launch)" in refused(dynamic, "m4", shared_bytes=40000)[0]
    assert done(dynamic, "h100", shared_bytes=100_000)


def test_exchange_memory_counts() -> None:
    p = program(shared("tile", F32, 262144 - 100), put(el(y, tid()), shuffle(tid(), 1)), params=(X, Y, N))
    (found,) = refused(p, "cpu")
    assert "1024 B to exchange values between lanes" in found


def test_loops_that_vote() -> None:
    rounds = count("t", op(tid(), "/", 32), put(el(y, tid()), shuffle(tid(), 1)))
    got = done(program(rounds, params=(X, Y, N)), "cpu")
    assert "while (group_any(active)) {" in show_program(got.program)
    assert "go on while any thread of the group wants to: all must arrive" in decided(got)
    limit = int(load_machine("cpu").get("shared.per_group") or 0)
    full = program(shared("tile", I32, (limit - 1024) // 4), rounds, params=(X, Y, N))
    (found,) = refused(full, "cpu")
    assert f"GP2002: a group needs {limit + 4} B of shared memory ({limit - 1020} B declared, 1024 B to" in found
    # a wave of 64 keeps its own shuffles
    assert done(program(rounds, params=(X, Y, N)), "mi300x").program == program(rounds, params=(X, Y, N))


def test_unknown_limit_rejects_nothing_and_is_recorded() -> None:
    m4 = load_machine("m4")
    fact = dataclasses.replace(m4.fact("shared.per_group"), kind="unknown", value=None)
    p = program(shared("tile", F32, 1 << 20), params=(X, Y, N))
    got = done(p, m4.with_facts({"shared.per_group": fact}))
    assert "not checked: shared memory of a group: the model does not know m4: shared.per_group" in decided(got)


def test_subgroups_kept_widened_replaced() -> None:
    kept = done(FIRST_WARP, "m4")
    assert kept.program is FIRST_WARP
    assert "subgroup operations kept at 32 lanes" in decided(kept)
    wide = done(FIRST_WARP, "mi300x")
    assert wide.program == FIRST_WARP
    assert "each is 2 warps of the source" in decided(wide)
    facts = {f.path for d in wide.decisions for f in d.facts}
    assert {"execution.subgroup_width", "features.opencl_shuffle"} <= facts
    none = done(FIRST_WARP, "cpu")
    text = show_program(none.program)
    assert "shared u32 gp_lanes[256];" in text
    assert "const i32 other = sum1(v, gp_lanes);" in text
    assert "lanes exchange values through 1024 B of shared memory, in segments of 32" in decided(none)


def test_lane_indices_become_arithmetic() -> None:
    lane, number = n.GridIndex(n.Grid.LANE), n.GridIndex(n.Grid.SUBGROUP)
    whole = n.Vote("ballot", op(n.Convert(lane, I32), "<", 3), U32, 0)
    value = n.Binary("+", n.Binary("*", number, n.GridIndex(n.Grid.SUBGROUP_SIZE), U32), whole, U32)
    p = program(put(el(y, tid()), n.Convert(value, I32)), params=(X, Y, N))
    assert done(p, "m4").program is p
    text = show_program(done(p, "mi300x").program)
    assert "i32(thread.x / 32u * 32u + ballot(" in text
    text = show_program(done(p, "mi300x", (16, 4, 1)).program)
    assert "(thread.x + group_size.x * (thread.y + group_size.y * thread.z)) / 32u * 32u" in text
    assert "ballot(" in text
    assert "width=0" not in text


def test_partial_warp_warns() -> None:
    got = done(FIRST_WARP, "m4", (48, 1, 1))
    assert [d.number for d in got.diagnostics if "48 threads" in d.message] == ["GP2007"]


def test_barrier_after_early_return() -> None:
    p = program(when(op(tid(), ">=", size), n.Return(), loc=at(6)), BARRIER, put(el(y, tid()), 1), params=(X, Y, N))
    assert done(p, "h100").program is p
    got = done(p, "m4")
    assert "const bool active = i32(thread.x) < n;" in show_program(got.program)
    assert "because of `i32(thread.x) >= n` (line 6)" in decided(got)
    loop = n.For((let("t", c(0)),), op(var("t"), "<", tid()), (put(var("t"), 1, "+"),), (BARRIER,), loc=at(8))
    assert "k.cu:8: error GP2003" in refused(program(loop, params=(X, Y, N)), "mi300x")[0]


def test_f64() -> None:
    p = program(let("d", n.Const(1.0, F64), loc=at(7)), params=(X, Y, N))
    assert refused(p, "m4")[0].startswith("k.cu:7: error GP2005: f64 is used; Apple M4: ")
    assert "f64 kept" in decided(done(p, "cpu"))


def atomic(o: str, t: object, space: Space = Space.GLOBAL) -> n.Program:
    pointer = Pointer(t, space)  # type: ignore[arg-type]
    value = n.Const(1.0, F32) if t == F32 else n.Const(1, t)  # type: ignore[arg-type]
    add = n.Evaluate(n.Atomic(o, var("p", pointer), value, t), loc=at(5))  # type: ignore[arg-type]
    if space is Space.SHARED:
        s = var("s", Array(t, 1))  # type: ignore[arg-type]
        return program(shared("s", t, 1), let("p", n.Decay(s, pointer)), add, params=(X, Y, N))  # type: ignore[arg-type]
    return program(add, params=(X, Y, N, n.Param("p", pointer)))


def test_atomics() -> None:
    assert "atomic add on f32 in global memory is a compare-and-swap loop" in decided(done(atomic("add", F32), "cpu"))
    assert "compare-and-swap" not in decided(done(atomic("add", F32), "m4"))
    assert "in shared memory is a compare-and-swap loop" in decided(done(atomic("add", F32, Space.SHARED), "m4"))
    assert "compare-and-swap" not in decided(done(atomic("sub", I32), "m4"))
    assert "GP2008: atomic add on u64 in global memory; Apple M4" in refused(atomic("add", U64), "m4")[0]
    assert done(atomic("max", U64), "m4")
    assert done(atomic("add", U64), "cpu")


def test_waiting_loop() -> None:
    take = n.Atomic("exch", y, c(1), I32)
    p = program(n.While(op(take, "!=", 0), (), loc=at(3)), params=(X, Y, N))
    assert "k.cu:3: error GP2010: the loop waits for what other threads write" in refused(p, "m4")[0]
    assert "a loop that waits is kept" in decided(done(p, "h100"))


def test_numerics() -> None:
    fx = Pointer(F32, Space.GLOBAL)
    a = el(var("a", fx), 0)
    p = program(put(a, op(op(a, "*", c(2.0, F32)), "+", c(1.0, F32))), params=(n.Param("a", fx),))
    got = done(p, "m4", roles={"a": "out"})
    assert [d.number for d in got.diagnostics] == ["GP3001"]
    assert "below 2^-126 become zero on Apple M4" in got.diagnostics[0].message
    assert "a*b + c is rounded twice" in decided(got)
    assert done(p, "cpu", roles={"a": "out"}).diagnostics == ()


def test_mlx_arguments() -> None:
    assert "n passed as 0-d arrays" in decided(done(COPY, "m4"))
    assert "inputs of under 8 elements are padded to 8 by the wrapper (x)" in decided(done(COPY, "m4"))
    assert "y: passed as an input, a copy of its own" in decided(done(COPY, "m4", roles={"x": "in", "y": "inout"}))
    assert "of its own" not in decided(done(COPY, "m4", roles={"x": "in", "y": "inout"}, inits={"y": 0}))
    assert "y: passed as an input, a copy" in decided(
        done(COPY, "m4", roles={"x": "inout", "y": "inout"}, inits={"y": 0, "x": 1})
    )
    assert "GP2009: y has role in but the kernel writes it" in refused(COPY, "m4", roles={"x": "in", "y": "in"})[0]
    many = program(params=tuple(n.Param(f"p{k}", I32) for k in range(40)))
    assert "GP2011: 40 parameters" in refused(many, "m4")[0]
    assert done(many, "cpu")


def test_everything_is_refused_at_once() -> None:
    p = program(let("d", n.Const(1.0, F64), loc=at(7)), shared("s", F32, 10000), params=(X, Y, N))
    numbers = {line.split("error ")[1][:6] for line in refused(p, "m4", (2048, 1, 1))}
    assert numbers == {"GP2001", "GP2002", "GP2005"}
