"""Whether what a const reference stands for may change while a function runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .context import place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .context import Node

_LOOPS = ("ForStmt", "WhileStmt", "DoStmt", "CXXForRangeStmt")
_CALLS = ("CallExpr", "CXXMemberCallExpr", "CXXOperatorCallExpr")


def may_change(decl: Node, param: Node) -> bool:
    """Tell whether a function may read a const reference parameter behind a write to what it refers to.

    A write is an assignment through a pointer or another reference, of a type that may be the same object by C's rules,
    or a call that may write or wait. Reads and writes of one loop follow each other both ways.
    """
    body = next((c for c in decl.get("inner", ()) if c.get("kind") == "CompoundStmt"), None)
    if body is None:
        return False
    target = _plain(param["type"])
    own = {n["id"] for n, _ in _walk(body) if n.get("kind") == "VarDecl" and "&" not in n["type"]["qualType"]}
    own |= {
        c["id"] for c in decl["inner"] if c.get("kind") == "ParmVarDecl" and not _refers(c) and c["id"] != param["id"]
    }
    reads: list[tuple[int, tuple[int, ...]]] = []
    writes: list[tuple[int, tuple[int, ...]]] = []
    for node, loops in _walk(body):
        kind = node.get("kind")
        if kind == "DeclRefExpr" and node["referencedDecl"].get("id") == param["id"]:
            reads.append((_offset(node, "begin"), loops))
        elif _may_write(node, target, own):
            writes.append((_offset(node, "end"), loops))
    return any(r > w or set(a) & set(b) for r, a in reads for w, b in writes)


def _may_write(node: Node, target: str, own: set[str]) -> bool:
    kind = node.get("kind")
    if kind == "GCCAsmStmt":
        return True
    if kind in _CALLS:
        return _may_write_by_call(node)
    assigns = kind == "CompoundAssignOperator" or (kind == "BinaryOperator" and node.get("opcode") == "=")
    if not assigns and not (kind == "UnaryOperator" and node.get("opcode") in ("++", "--")):
        return False
    left = node["inner"][0]
    return not _local(left, own) and _may_be_same(_plain(left["type"]), target)


def _may_write_by_call(node: Node) -> bool:
    """A call that takes a pointer or a reference that it may write through, or none at all and gives nothing."""
    callee = node["inner"][0]
    while callee.get("kind") in ("ImplicitCastExpr", "ParenExpr"):
        callee = callee["inner"][0]
    printed = str(callee.get("referencedDecl", {}).get("type", {}).get("qualType", ""))
    if not printed:  # a member function
        return True
    result, _, parameters = printed.partition("(")
    if result.strip() == "void":
        return True
    return any(("*" in p or "&" in p) and not p.strip().startswith("const ") for p in parameters.split(","))


def _local(node: Node, own: set[str]) -> bool:
    """Tell whether an assignment's target is the function's own variable, or part of one."""
    while True:
        kind = node.get("kind")
        decays = kind == "ImplicitCastExpr" and node.get("castKind") in ("ArrayToPointerDecay", "NoOp")
        part = kind == "MemberExpr" and not node.get("isArrow")
        if kind in ("ParenExpr", "ArraySubscriptExpr", "ExtVectorElementExpr") or decays or part:
            node = node["inner"][0]
        else:
            return kind == "DeclRefExpr" and node["referencedDecl"].get("id") in own


def _may_be_same(written: str, target: str) -> bool:
    """C's rule: the same type, a member of a struct or an object of one, or bytes."""
    scalars = {"bool", "short", "unsigned short", "int", "unsigned int", "long", "unsigned long", "long long",
               "unsigned long long", "float", "double", "half"}  # fmt: skip
    signless = [t.removeprefix("unsigned ") for t in (written, target)]
    return signless[0] == signless[1] or "char" in written or written not in scalars or target not in scalars


def _plain(info: Node) -> str:
    text = str(info.get("desugaredQualType") or info["qualType"])
    for word in ("const ", "volatile ", "&"):
        text = text.replace(word, "")
    return text.strip()


def _refers(param: Node) -> bool:
    return str(param["type"].get("desugaredQualType") or param["type"]["qualType"]).rstrip().endswith("&")


def _offset(node: Node, end: str) -> int:
    return int(place(node.get("range", {}).get(end, {})).get("offset", 0))


def _walk(body: Node) -> Iterator[tuple[Node, tuple[int, ...]]]:
    """Yield the nodes of a body with the loops around each."""
    stack: list[tuple[Node, tuple[int, ...]]] = [(body, ())]
    while stack:
        node, loops = stack.pop()
        yield node, loops
        inside = (*loops, id(node)) if node.get("kind") in _LOOPS else loops
        stack.extend((c, inside) for c in node.get("inner", ()))
