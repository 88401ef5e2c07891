"""Where threads must come together: barriers and subgroup operations, also through calls."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from .. import nodes as n
from ..walk import walk

if TYPE_CHECKING:
    from collections.abc import Sequence


class Collective(Enum):
    """BARRIER: every thread of the group must arrive. SUBGROUP: shuffle, vote, matrix step or subgroup barrier."""

    BARRIER = "barrier"
    SUBGROUP = "subgroup operation"


NO_COLLECTIVES: frozenset[Collective] = frozenset()


@dataclass(frozen=True, slots=True)
class Collectives:
    """Which collectives each device function contains, also through the functions it calls."""

    functions: dict[str, frozenset[Collective]]

    def of(self, node: n.Node | Sequence[n.Node]) -> frozenset[Collective]:
        """Return the collectives in a statement, an expression or a body."""
        found = set[Collective]()
        for x in walk(node):
            match x:
                case n.Barrier(scope=n.Scope.SUBGROUP) | n.Shuffle() | n.Vote() | n.MatrixStep():
                    found.add(Collective.SUBGROUP)
                case n.Barrier():
                    found.add(Collective.BARRIER)
                case n.Call(function=function):
                    found |= self.functions.get(function, NO_COLLECTIVES)
                case _:
                    pass
        return frozenset(found)


def find_collectives(program: n.Program) -> Collectives:
    """Return the collectives of every function; callees come first in a program, so one pass is enough."""
    known = Collectives({})
    for f in (*program.functions, program.kernel):
        known.functions[f.name] = known.of(f.body)
    return known
