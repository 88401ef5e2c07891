"""Textures over linear memory: `tex1Dfetch<T>(t, i)` reads element i of an array of T, which is what a port is given.

A fetch outside the array gives 0 in CUDA and is an error in a port: the emulator reports it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...ir.diagnostics import refuse
from ...ir.nodes import Element
from ...ir.types import Pointer, Scalar, Space, Vector
from .types import parse_type

if TYPE_CHECKING:
    from ...ir.nodes import Expr, Loc
    from .context import CallSite, FunctionContext, Unit
    from .records import Node

FETCH = "tex1Dfetch"


def is_texture(param: Node) -> bool:
    """Tell whether a parameter is a texture object."""
    return "cudaTextureObject_t" in str(param["type"]["qualType"])


def texture_pointer(unit: Unit, param: Node, body: Node, loc: Loc | None) -> Pointer:
    """Return the type of a kernel's parameter for a texture, by what is fetched from it."""
    found = _fetched(unit, body, param["id"], set())
    types = {str(t): t for t in (parse_type(info, loc).type for info in found)}
    if len(types) != 1:
        what = " and ".join(types) or "nothing that is known"
        raise refuse("GP1103", f"the texture {param.get('name')}, from which {what} is fetched", loc)
    elem = next(iter(types.values()))
    if not isinstance(elem, Scalar | Vector):
        raise refuse("GP1103", f"the texture {param.get('name')} of {elem}", loc)
    unit.addresses = True
    return Pointer(elem, Space.GLOBAL, const=True)


def _fetched(unit: Unit, body: Node, texture: str, seen: set[str]) -> list[Node]:
    """The types that are fetched from a texture in a function's body, and in those that it is handed to."""
    found: list[Node] = []
    stack = [body]
    seen.add(texture)
    while stack:
        node = stack.pop()
        inner = node.get("inner", ())
        stack.extend(inner)
        if node.get("kind") != "CallExpr":
            continue
        places = [i for i, arg in enumerate(inner[1:]) if _referred(arg).get("id") == texture]
        callee = _referred(inner[0])
        if places and callee.get("name") == FETCH:
            found.append(node["type"])
        elif places and "id" in callee:
            decl = unit.definition(callee)
            params = [c["id"] for c in decl.get("inner", ()) if c.get("kind") == "ParmVarDecl"]
            for i in places:
                if i < len(params) and params[i] not in seen:
                    found += _fetched(unit, decl, params[i], seen)
    return found


def _referred(node: Node) -> Node:
    """The declaration that an expression names."""
    while node.get("inner") and node["kind"] in ("ImplicitCastExpr", "ParenExpr"):
        node = node["inner"][0]
    return node.get("referencedDecl", {})


def fetch(_fc: FunctionContext, site: CallSite) -> Expr:
    """`tex1Dfetch<T>(t, i)`."""
    texture, index = site.args[0], site.args[1]
    if not isinstance(texture.type, Pointer) or texture.type.elem != site.type:
        raise refuse("GP1104", f"{site.name} of {site.type} from a texture of another type", site.loc)
    return Element(texture, index, site.type, loc=site.loc)
