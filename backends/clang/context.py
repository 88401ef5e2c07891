"""What lowering needs to know of a translation unit and of the function at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ...ir.diagnostics import Diagnostic, Refusal
from ...ir.nodes import Const, Declare, Expr, Function, Loc, Param, Stmt, Var
from ...ir.types import Space, Type
from ...ir.walk import rewrite_exprs
from .records import Records
from .tool import Comment, comments

if TYPE_CHECKING:
    from .objects import Capture, Parts
    from .types import ParsedType

Node = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CallSite:
    """A call of a function that the language defines: its name, lowered arguments, their AST, result type, place."""

    name: str
    args: tuple[Expr, ...]
    nodes: tuple[Node, ...]
    type: Type
    loc: Loc | None


Handler = Callable[["FunctionContext", CallSite], "Expr | Stmt"]


@dataclass(frozen=True)
class Language:
    """What the lowering of a C-like language needs beside the syntax tree.

    `calls` maps the names of built-in functions (qualified where they live in a namespace) to handlers; `variables`
    maps built-in variables to a function from an axis to an expression. Pointers without a written space get
    `default_space`. `padded_vec3` tells that 3-vectors take 4 elements in memory.
    `attribute` gives what a kernel's parameter stands for that is no argument (Metal's `[[thread_position_in_grid]]`).
    `assembly` has the inline assembly that is understood, by its text.
    """

    name: str
    calls: Mapping[str, Handler]
    variables: Mapping[str, Callable[[int], Expr]]
    default_space: Space
    header: str
    padded_vec3: bool = False
    attribute: Callable[[Unit, Node], Expr | None] | None = None
    assembly: Mapping[str, Callable[..., Expr | Stmt | None]] = field(default_factory=dict)


@dataclass
class Unit:
    """A parsed translation unit: declarations by id with their namespaces, device functions lowered so far."""

    language: Language
    ast: Node
    names: Mapping[str, str]  # temporary file -> the name the user knows it by
    decls: dict[str, Node] = field(default_factory=dict)
    scopes: dict[str, str] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)  # a function's declaration -> its first one
    bodies: dict[str, str] = field(default_factory=dict)  # the first one -> the one with the body
    previous_end: dict[str, tuple[str, int]] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    enums: dict[str, Node] = field(default_factory=dict)  # an enumerator's id -> its enumeration
    in_progress: list[str] = field(default_factory=list)
    entry: str = ""  # the kernel's name, which no device function may have too
    diagnostics: list[Diagnostic] = field(default_factory=list)
    shared_globals: dict[str, Node] = field(default_factory=dict)
    written: set[str] | None = None  # the variables that functions may change, once asked for
    addresses: bool = False  # whether an integer holds one
    host_constants: dict[str, Param] = field(default_factory=dict)  # `__constant__` without an initialiser
    records: Records = field(default_factory=Records)
    closure_names: dict[str, str] = field(default_factory=dict)
    closures: dict[str, tuple[Capture, ...]] = field(default_factory=dict)  # a closure's record id -> its captures
    _texts: dict[str, bytes] = field(default_factory=dict)
    _comments: dict[str, list[Comment]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Index every declaration by id, with its namespace path and where the declaration before it ends."""
        self.records = Records.of(self.ast)
        if self.language.name not in ("cuda", "hip"):
            self.records.vector_alignment = 128
        stack: list[tuple[Node, str]] = [(self.ast, "")]
        while stack:
            node, scope = stack.pop()
            last: tuple[str, int] = ("", 0)
            opens = node.get("kind") in ("NamespaceDecl", "LinkageSpecDecl")
            if opens and (start := place(node.get("range", {}).get("begin", {}))):
                last = (start["file"], start["line"])  # what stands above a space is not its first function's
            for child in node.get("inner", ()):
                kind = child.get("kind", "")
                if not kind.endswith("Decl"):
                    continue
                if "id" in child:
                    if len(child) > len(self.decls.get(child["id"], ())):  # a specialisation's is named again, bare
                        self.decls[child["id"]] = child
                    if kind == "FunctionDecl":
                        self._index_function(child)
                    self.scopes[child["id"]] = scope
                    if node.get("kind") != "FunctionTemplateDecl":
                        self.previous_end[child["id"]] = last
                end = place(child.get("range", {}).get("end", {}))
                if end:
                    last = (end["file"], end["line"])
                if kind in (
                    "NamespaceDecl",
                    "LinkageSpecDecl",
                    "FunctionTemplateDecl",
                    "VarTemplateDecl",
                    "TranslationUnitDecl",
                ):
                    name = child.get("name", "") if kind == "NamespaceDecl" else ""
                    stack.append((child, f"{scope}{name}::" if name else scope))
                if kind == "FunctionTemplateDecl":  # what stands above a template stands above all its forms
                    before = self.previous_end.get(child.get("id", ""), ("", 0))
                    self.previous_end.update({i["id"]: before for i in child.get("inner", ()) if "id" in i})
                if kind == "EnumDecl":
                    stack.append((child, scope))
                    self.enums.update({c["id"]: child for c in child.get("inner", ()) if "id" in c})

    def _index_function(self, decl: Node) -> None:
        """Note which declaration of a function is the first one, and which has the body."""
        before: str = decl.get("previousDecl") or decl["id"]
        first = self.first.get(before, before)
        self.first[decl["id"]] = first
        if any(c.get("kind") == "CompoundStmt" for c in decl.get("inner", ())):
            self.bodies[first] = decl["id"]

    def loc(self, node: Node) -> Loc | None:
        """Return where a node begins, in the user's file name."""
        begin = place(node.get("range", {}).get("begin", {})) or place(node.get("loc", {}))
        if not begin:
            return None
        return Loc(self.names.get(begin["file"], begin["file"]), begin["line"], begin["col"])

    def text(self, file: str) -> bytes:
        """Return a source file's bytes ('' for files that are not on disk)."""
        if file not in self._texts:
            try:
                self._texts[file] = Path(file).read_bytes()
            except OSError:
                self._texts[file] = b""
        return self._texts[file]

    def token(self, location: Node) -> str:
        """Return the source text of the token at a location."""
        return self.text(location["file"])[location["offset"] : location["offset"] + location["tokLen"]].decode(
            errors="replace"
        )

    def comments(self, file: str) -> list[Comment]:
        """Return the comments of a file (none for files that are not on disk)."""
        if file not in self._comments:
            self._comments[file] = comments(Path(file)) if self.text(file) else []
        return self._comments[file]

    def in_header(self, decl: Node) -> bool:
        """Tell whether a declaration stands in one of gpuport's own headers."""
        return Path(place(decl.get("range", {}).get("begin", {})).get("file", "")).name.startswith("gpuport_")

    def definition(self, decl: Node) -> Node:
        """Return the declaration that has the body of a function; itself if none has one."""
        found = self.decls.get(decl["id"], decl)
        key: str = found["id"]
        return self.decls.get(self.bodies.get(self.first.get(key, key), ""), found)

    def qualified(self, decl: Node) -> str:
        """Return a declaration's name with its namespaces."""
        return self.scopes.get(decl.get("id", ""), "") + decl.get("name", "")

    def user_macro(self, node: Node) -> str | None:
        """Return the name of the user's object-like macro that the whole node was written as, if it was one."""
        span = node.get("range", {})
        begin, end = span.get("begin", {}), span.get("end", {})
        if "expansionLoc" not in begin or "expansionLoc" not in end or "isMacroArgExpansion" in begin["expansionLoc"]:
            return None
        where = begin["expansionLoc"]
        if where["offset"] != end["expansionLoc"].get("offset") or where["file"] != end["expansionLoc"].get("file"):
            return None
        if begin["spellingLoc"].get("file", "").endswith(self.language.header):
            return None
        name = self.token(where)
        if not self._whole_body(begin["spellingLoc"], end["spellingLoc"], name):
            return None
        after = self.text(where["file"])[where["offset"] + where["tokLen"] :][:64].lstrip()
        # `__FLT_MAX__` and the like are a compiler's own, of which the destination's may have another
        return name if name.isidentifier() and not name.startswith("__") and not after.startswith(b"(") else None

    def _whole_body(self, begin: Node, end: Node, name: str) -> bool:
        """Whether what stands from `begin` to `end` is all that a macro stands for; a part of that has no name."""
        if not begin.get("file") or begin.get("file") != end.get("file"):
            return True  # built in, or put together of several macros
        text = self.text(begin["file"])
        if not text:
            return True  # a define of the spec's
        before = text[text.rfind(b"\n", 0, begin["offset"]) + 1 : begin["offset"]].split()
        behind = text[end["offset"] + end["tokLen"] :].partition(b"\n")[0].split(b"//")[0].split(b"/*")[0].strip()
        return before[-1:] == [name.encode()] and not behind


def place(location: Node) -> Node:
    """Return where a location stands in the file (a macro's use, not its definition); {} if unknown."""
    found = location.get("expansionLoc", location)
    return found if "offset" in found else {}


@dataclass
class Variable:
    """A variable of the function at hand: its IR name, type and space; `reference` ones are pointers in the IR."""

    name: str
    type: Type
    space: Space
    reference: bool = False
    poisoned: bool = False  # its declaration was refused
    value: Expr | None = None  # built-in variables and constants stand for an expression
    parts: Parts | None = None  # an object that is taken apart
    function: Node | None = None  # of a parameter that is a function: the one that is given
    known: Const | None = None  # what a const variable is, where its initialiser tells


@dataclass
class FunctionContext:
    """The state of lowering one function."""

    unit: Unit
    node: Node
    variables: dict[str, Variable] = field(default_factory=dict)
    visible: list[set[str]] = field(default_factory=lambda: [set()])
    before: list[Stmt] = field(default_factory=list)  # statements hoisted out of the expression being lowered
    uses_subgroup: bool = False
    tables: dict[str, Declare] = field(default_factory=dict)  # constant arrays that the function mentions
    used_comments: set[int] = field(default_factory=set)
    this: Expr | Parts | None = None  # the object of a member function
    frozen: set[str] = field(default_factory=set)  # copies of an object that came by reference
    made: Expr | None = None  # the object that a constructor fills and returns

    def aside(self, lower: Callable[[], T]) -> tuple[list[Stmt], T]:
        """Lower something that is not always evaluated here; returns what it hoists, and the result."""
        outer, self.before = self.before, []
        try:
            result = lower()
            return self.before, result
        finally:
            self.before = outer

    def unique(self, name: str) -> str:
        """Return `name`, or a variant if a visible variable has it already, and make it visible."""
        name = name.rsplit("::", 1)[-1]  # of a function of a namespace, read into its caller
        taken = set().union(*self.visible)
        result, n = name, 2
        while result in taken:
            result, n = f"{name}_{n}", n + 1
        self.visible[-1].add(result)
        return result

    def declare(self, node: Node, parsed: ParsedType, space: Space) -> Variable:
        """Make a declared variable known."""
        variable = Variable(self.unique(node.get("name", "unnamed")), parsed.type, space, parsed.reference)
        self.variables[node["id"]] = variable
        return variable

    def with_known(self, expr: Expr) -> Expr:
        """Put the values of const variables into an expression that is to be folded."""
        known = {v.name: v.known for v in self.variables.values()}
        return rewrite_exprs(expr, lambda e: (known.get(e.name) or e) if isinstance(e, Var) else e)

    def comments_before(self, node: Node) -> tuple[str, ...]:
        """Take the comments of this function's body that stand before a node."""
        return self._take(place(node.get("range", {}).get("begin", {})))

    def comments_inside(self, node: Node) -> None:
        """Leave the comments inside a node (a lambda's body) to the function that it becomes."""
        begin, end = (place(node.get("range", {}).get(k, {})) for k in ("begin", "end"))
        if not begin or not end:
            return
        for i, c in enumerate(self.unit.comments(begin["file"])):
            if (begin["line"], begin["col"]) < (c.line, c.col) < (end["line"], end["col"]):
                self.used_comments.add(i)

    def comments_until_end(self, node: Node) -> tuple[str, ...]:
        """Take the comments that stand before the end of a node (a block's closing brace)."""
        return self._take(place(node.get("range", {}).get("end", {})))

    def _take(self, at: Node) -> tuple[str, ...]:
        body = place(self.body.get("range", {}).get("begin", {}))
        if not at or not body or at["file"] != body["file"]:
            return ()
        found: list[str] = []
        for i, c in enumerate(self.unit.comments(at["file"])):
            inside = (body["line"], body["col"]) < (c.line, c.col) < (at["line"], at["col"])
            if inside and i not in self.used_comments:
                self.used_comments.add(i)
                found.append(c.text)
        return tuple(found)

    def comment_behind(self, node: Node) -> str | None:
        """Take the comment that stands behind a node on its last line."""
        end = place(node.get("range", {}).get("end", {}))
        if not end:
            return None
        for i, c in enumerate(self.unit.comments(end["file"])):
            if i not in self.used_comments and c.line == end["line"] and c.col > end["col"]:
                between = self.unit.text(end["file"]).split(b"\n")[c.line - 1][
                    end["col"] - 1 + end["tokLen"] : c.col - 1
                ]
                if between.strip() in (b"", b";"):
                    self.used_comments.add(i)
                    return c.text
        return None

    @property
    def body(self) -> Node:
        """The function's compound statement."""
        for child in self.node.get("inner", ()):
            if child.get("kind") == "CompoundStmt":
                return child
        return {}

    def refused(self, refusal: Refusal) -> None:
        """Keep the diagnostics of a refused statement and go on, so that all are reported at once."""
        self.unit.diagnostics.extend(refusal.diagnostics)
