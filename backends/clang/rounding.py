"""Where a pragma forbids fused multiply-adds: clang says it of blocks alone, so it is spread over what they hold."""

from __future__ import annotations

from typing import Any, Final

_FUNCTIONS: Final = frozenset({"FunctionDecl", "CXXMethodDecl", "CXXConstructorDecl", "CXXConversionDecl"})
_OPERATIONS: Final = frozenset({"BinaryOperator", "CompoundAssignOperator"})


def mark_unfused(ast: dict[str, Any]) -> None:
    """Give the key `unfused` to the operations inside of blocks where `FPContractMode` is 0 (LangOptions: off).

    A block that does not say it is as the block around it; the body of a function always says it.
    """
    stack: list[tuple[dict[str, Any], bool]] = [(ast, False)]
    while stack:
        node, off = stack.pop()
        kind = node.get("kind")
        if kind in _FUNCTIONS:
            off = False
        elif kind == "CompoundStmt":
            mode = node.get("fpoptions", {}).get("FPContractMode")
            off = off if mode is None else mode == 0
        elif off and kind in _OPERATIONS:
            node["unfused"] = True
        stack.extend((child, off) for child in node.get("inner", ()))
