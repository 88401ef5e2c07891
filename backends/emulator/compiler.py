"""Turns functions of a program into closures over the state of a run: names, scopes, calls."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from ...ir import nodes as ir
from ...ir.types import Array as ArrayType
from ...ir.types import Pointer as PointerType
from ...ir.types import Scalar, Space, Struct, Type, Vector, flat_elem, scalar_of
from .domain import Domain
from .errors import EmulatorError
from .facts import facts_of
from .lanes import DEAD, Array, Mask, minus, where
from .memory import Memory
from .regions import Per, Pointer, Region
from .shadow import RaceShadow
from .state import Frame, State
from .structs import StructValue, each_leaf, poison, smallest, store_whole, whole_access
from .tickets import depends

Eval: TypeAlias = Callable[[], Any]
Run: TypeAlias = Callable[[], None]

ZERO: Array = np.zeros((1, 1), np.int64)


class Slot:
    """A variable kept as a value. `mask` is the mask it was declared under: an assignment under that same mask
    replaces the value, since no other lane can see the variable. `valid` is None, or the lanes that were assigned."""

    __slots__ = ("mask", "maybe", "name", "type", "valid", "value")

    def __init__(self, name: str, t: Type) -> None:
        self.name = name
        self.type = t
        self.value: Any = None
        self.mask: Mask = None
        self.valid: Array | None = None
        self.maybe = False  # declared without a value somewhere

    def bind(self, value: Any, mask: Mask) -> None:
        """Give the variable a first value."""
        self.value, self.mask, self.valid = value, mask, None


@dataclass(slots=True)
class FunctionCode:
    """A compiled device function."""

    params: list[Slot | Region] = field(default_factory=list)
    body: Run | None = None


class Compiler:
    """Compiles one program for one run."""

    def __init__(self, program: ir.Program, state: State, memory: Memory, domain: Domain) -> None:
        self.program = program
        self.state = state
        self.memory = memory
        self.domain = domain
        self.names: dict[str, Slot | Region] = {}
        self.addressed: frozenset[str] = frozenset()
        self.guesses: frozenset[int] = frozenset()
        self.tickets: frozenset[str] = frozenset()
        self.told = False  # whether what is compiled is guarded by what an atomic gave
        self.functions: dict[str, FunctionCode] = {}
        self.loc: ir.Loc | None = None
        self.dynamic: Region | None = None
        self.shared_bytes = 0
        self.facts = facts_of(program)
        self.casts = bool(self.facts.casts)
        self.smallest_cast = min(
            (cell_of(t.elem).size for t in self.facts.casts if not isinstance(t.elem, PointerType)), default=8
        )
        state.tracks_fences = self.facts.device_fences

    # names and memory

    @contextlib.contextmanager
    def guarded(self, cond: ir.Expr) -> Generator[None]:
        """What is compiled inside happens only where a condition holds, or only where it does not."""
        outer = self.told
        self.told = outer or (self.facts.atomics and depends(self.program, cond, self.tickets))
        yield
        self.told = outer

    @contextlib.contextmanager
    def scope(self) -> Generator[None]:
        """Names declared inside end with it."""
        outer = dict(self.names)
        yield
        self.names = outer

    def at(self, node: ir.Node) -> ir.Loc | None:
        """The place of a node, or of the statement around it."""
        return node.loc or self.loc

    def fail(self, node: ir.Node, message: str) -> EmulatorError:
        """An error at a node."""
        return EmulatorError(message, self.at(node))

    def region(self, name: str, t: Type, space: Space, node: ir.Node) -> Region:
        """Memory for a declared variable."""
        if isinstance(t, PointerType) or (isinstance(t, ArrayType) and isinstance(_element(t), PointerType)):
            raise self.fail(node, f"{name}: pointers kept in memory cannot be emulated")
        shared = space is Space.SHARED
        dynamic = isinstance(t, ArrayType) and t.length == 0
        if dynamic and self.dynamic is not None:
            return self.dynamic
        size = self.state.launch.shared_bytes if dynamic else t.size
        made = self.add_region(name, cell_of(t), size, shared=shared, layout=flat_elem(t))
        if dynamic:
            self.dynamic = made
        return made

    def add_region(self, name: str, elem: Scalar, size: int, *, shared: bool, layout: Type | None = None) -> Region:
        """Memory of `size` bytes per group or per thread."""
        per = Per.GROUP if shared else Per.THREAD
        made = Region(self.state, name, "shared" if shared else "private", elem, size, per)
        made.layout = layout if isinstance(layout, Struct) else None
        if shared:
            self.shared_bytes += size
            self.shadow(made)
        return self.memory.add(made)

    def shadow(self, region: Region) -> None:
        """Watch a region for races, in cells of the smallest type it is accessed as."""
        region.granule = min(region.elem.size, self.smallest_cast)
        shared = region.per is Per.GROUP
        region.shadow = RaceShadow(self.state, max(1, -(-region.size // region.granule)), shared=shared)

    # functions

    def enter(self, function: ir.Function) -> None:
        """Start compiling a function's body: fresh names."""
        self.names = {}
        known = self.facts.functions[function.name]
        self.addressed, self.guesses, self.tickets, self.told = known.addressed, known.guesses, known.tickets, False

    def parameter(self, p: ir.Param) -> Slot | Region:
        """Where a parameter lives."""
        made: Slot | Region
        if isinstance(p.type, Struct) or (p.name in self.addressed and not isinstance(p.type, PointerType)):
            made = self.region(p.name, p.type, Space.PRIVATE, p)
        else:
            made = Slot(p.name, p.type)
        self.names[p.name] = made
        return made

    def function(self, name: str, node: ir.Node) -> FunctionCode:
        """The compiled device function of that name."""
        from .statements import block

        code = self.functions.get(name)
        if code is None:
            try:
                function = self.program.function(name)
            except KeyError:
                raise self.fail(node, f"call of {name}, which the program does not define") from None
            code = self.functions[name] = FunctionCode()
            saved = self.names, self.addressed, self.guesses, self.tickets, self.told, self.loc
            self.enter(function)
            code.params = [self.parameter(p) for p in function.params]
            code.body = block(self, function.body)
            self.names, self.addressed, self.guesses, self.tickets, self.told, self.loc = saved
        if code.body is None:
            raise self.fail(node, f"{name} calls itself; recursion cannot be emulated")
        return code

    def call(self, node: ir.Call) -> Eval:
        """A call, inlined with its own frame."""
        from .expressions import expression

        s, code = self.state, self.function(node.function, node)
        args = [expression(self, a) for a in node.args]
        types = [p.type for p in self.program.function(node.function).params]
        accesses = [
            self.memory.access(t, self.at(node)) if isinstance(p, Region) and isinstance(t, (Scalar, Vector)) else None
            for p, t in zip(code.params, types, strict=True)
        ]
        wholes = [whole_access(self, t, node) if isinstance(t, Struct) else None for t in types]

        def run() -> Any:
            values = [a() for a in args]
            mask = s.mask
            outer = s.frame, s.breaks, s.continues
            s.frame, s.breaks, s.continues = Frame(), DEAD, DEAD
            for p, v, access, whole in zip(code.params, values, accesses, wholes, strict=True):
                if isinstance(p, Slot):
                    p.bind(v, mask)
                elif whole is not None:
                    store_whole(self, Pointer(p, ZERO), whole, v)
                elif access is not None:
                    self.memory.store(Pointer(p, ZERO), access, v)
            if code.body is not None:
                code.body()
            value = s.frame.value
            s.frame, s.breaks, s.continues = outer
            s.mask = mask
            if value is None and isinstance(node.type, Struct):
                value = poison(self, node.type)
            if value is None and isinstance(node.type, (Scalar, Vector)) and node.type.size:
                value = self.domain.poison(
                    scalar_of(node.type), node.type.lanes if isinstance(node.type, Vector) else 1
                )
            return value

        return run

    def blend(self, mask: Array, a: Any, b: Any) -> Any:
        """`a` in the lanes of the mask, `b` elsewhere; values or pointers."""
        if isinstance(a, StructValue):
            return each_leaf(partial(where, mask), a, b)
        return self.memory.merge(mask, a, b) if isinstance(a, Pointer) else where(mask, a, b)

    def assign(self, slot: Slot, value: Any) -> None:
        """Assign in the active lanes."""
        mask = self.state.mask
        if mask is slot.mask or mask is None or slot.value is None:
            slot.value, slot.valid = value, None
            if slot.mask is not mask and mask is not None:
                slot.valid = mask
            return
        slot.value = self.blend(mask, value, slot.value)
        if slot.valid is not None:
            slot.valid = slot.valid | (mask[..., None] if slot.valid.ndim == 3 else mask)

    def check_valid(self, slot: Slot, loc: ir.Loc | None, component: int | None = None) -> None:
        """Report a read of a variable in lanes that never assigned it."""
        s, valid = self.state, slot.valid
        if valid is None:
            return
        if valid.ndim == 3:
            valid = np.logical_and.reduce(valid, axis=2) if component is None else valid[..., component]
        bad = minus(s.mask, valid)
        if bad is DEAD or bad is None or not s.findings.wants("uninitialised", loc, slot.name):
            return
        g, t = s.first_lane(bad)
        who = s.who(g, t)
        text = f"{who} reads {slot.name}, which has no value yet"
        s.findings.add("uninitialised", text, loc, slot.name, buffer=slot.name, threads=(who,))


def cell_of(t: Type) -> Scalar:
    """The scalar whose size memory of a type is watched in; for a struct, of its smallest member."""
    return smallest(flat_elem(t)) if isinstance(flat_elem(t), Struct) else scalar_of(t)


def _element(t: ArrayType) -> Type:
    inner: Type = t
    while isinstance(inner, ArrayType):
        inner = inner.elem
    return inner
