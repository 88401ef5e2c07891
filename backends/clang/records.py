"""Structs, classes and unions of a translation unit: their printed names, layout, member functions and closures."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...ir.diagnostics import refuse
from ...ir.rewrites.matrices import fragment_struct
from ...ir.types import Array, Member, Pointer, Scalar, Struct, Type, Vector, alignment_of, leaves
from .names import Meaning, Names, constant_value, enumerator_values, underlying

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from ...ir.nodes import Loc

Node = dict[str, Any]

_RECORDS = ("CXXRecordDecl", "RecordDecl", "ClassTemplateSpecializationDecl")
_FUNCTIONS = ("FunctionDecl", "CXXMethodDecl", "CXXConstructorDecl", "CXXConversionDecl")
_HIDDEN = re.compile(r"0x[0-9a-f]+::")
_METHODS = ("CXXMethodDecl", "CXXConstructorDecl", "CXXConversionDecl", "CXXDestructorDecl")


@dataclass
class Record:
    """A struct, class or union that is completely defined. `struct` is set once its layout has been asked for."""

    node: Node
    name: str  # as clang prints it as a type
    closure: bool = False
    struct: Struct | None = None
    laying_out: bool = False

    @property
    def fields(self) -> list[Node]:
        """The members' declarations, in order."""
        return [c for c in self.node.get("inner", ()) if c.get("kind") == "FieldDecl"]

    @property
    def constructors(self) -> list[Node]:
        """The constructors that are written or generated here."""
        return [c for c in _members(self.node) if c.get("kind") == "CXXConstructorDecl"]

    def field_name(self, node: Node) -> str:
        """Return a member's name; an anonymous one is named by its position."""
        return node.get("name") or f"part_{[f.get('id') for f in self.fields].index(node.get('id')) + 1}"


def _members(node: Node) -> Iterator[Node]:
    for c in node.get("inner", ()):
        if c.get("kind") == "FunctionTemplateDecl":
            yield from (i for i in c.get("inner", ()) if i.get("kind") in _METHODS)
        elif c.get("kind") in _METHODS:
            yield c


@dataclass
class Records:
    """All records of a unit by id and by name, and what each member function belongs to."""

    by_id: dict[str, Record] = field(default_factory=dict)
    names: Names = field(default_factory=Names)
    owners: dict[str, Record] = field(default_factory=dict)  # a member function's id -> its record
    methods: dict[str, Node] = field(default_factory=dict)
    field_names: dict[str, str] = field(default_factory=dict)  # a field's id -> its name
    scope: str = ""  # of what is read at the moment
    scopes: dict[str, str] = field(default_factory=dict)  # of functions and records, by id
    taken: dict[str, Record] = field(default_factory=dict)
    enumerations: dict[str, Node] = field(default_factory=dict)  # an enumerator's id -> its enumeration
    statics: dict[str, Node] = field(default_factory=dict)  # static members that are variables
    vector_alignment: int = 16  # of CUDA's 4-vectors of 8-byte elements

    @classmethod
    def of(cls, ast: Node) -> Records:
        """Find the records of a translation unit."""
        found = cls()
        found._visit(ast)
        return found

    def _visit(self, ast: Node) -> None:
        from .types import known_type

        stack: list[tuple[Node, str, Node]] = [(ast, "", {})]
        typedefs: list[tuple[Node, str, Node]] = []
        while stack:
            node, scope, parent = stack.pop()
            kind = node.get("kind", "")
            if kind in _FUNCTIONS and "id" in node:
                scope = f"{scope}{node['id']}::"  # what a function declares is known in it alone
                self.scopes[node["id"]] = scope
            if kind == "NamespaceDecl" and node.get("name"):
                scope = f"{scope}{node['name']}::"
            elif kind in _RECORDS:
                if node.get("completeDefinition"):
                    self._add(node, scope)
                if node.get("name"):
                    scope = f"{scope}{node['name']}::"
            elif kind == "EnumDecl":
                self.enumerations.update({c["id"]: node for c in node.get("inner", ()) if "id" in c})
                self._enumerators(node, scope)
                if node.get("name"):
                    self.names.add(node["name"], Meaning(scope, text=underlying(node)))
            elif kind == "VarDecl" and parent.get("kind") in _RECORDS and "id" in node:
                self.statics[node["id"]] = node
            elif kind == "VarDecl" and (value := constant_value(node)) is not None:
                self.names.add_constant(node["name"], scope, value)
            elif kind == "NamespaceAliasDecl":
                self.names.aliases[node["name"]] = node.get("aliasedNamespace", {}).get("name", node["name"])
            elif kind in ("TypedefDecl", "TypeAliasDecl"):
                typedefs.append((node, scope, parent))
            inner = node.get("inner", ())
            if kind == "ClassTemplateDecl":  # the pattern itself has no layout
                inner = [c for c in inner if c.get("kind") != "CXXRecordDecl"]
            elif kind == "ClassTemplatePartialSpecializationDecl":
                inner = ()
            elif kind == "FunctionTemplateDecl":
                inner = [c for c in inner if any(a.get("kind") == "TemplateArgument" for a in c.get("inner", ()))]
            stack.extend((c, scope, node) for c in reversed(inner))
        for node, scope, parent in typedefs:
            record = self.by_id.get(_declared(node))
            name, info = node["name"], node["type"]
            if record is not None and not record.node.get("name") and not record.name:
                record.name = _HIDDEN.sub("", scope) + name
                self.names.add(name, Meaning(scope, record))
                continue
            text = info.get("desugaredQualType") or info["qualType"]
            same = text.split(" ")[-1] == name  # C's `typedef struct P P`
            if not same and not known_type(name) and not node.get("isImplicit"):
                self.names.add(name, Meaning(scope, text=text))
            if arguments := _arguments(parent):  # `vec4<float>::Type`: what a type means by the template's arguments
                self.names.add(f"{parent['name']}{arguments}::{name}", Meaning(scope, text=text))

    def _enumerators(self, enum: Node, scope: str) -> None:
        """Make the enumerators known as values; those of a scoped enumeration by its name too."""
        values = enumerator_values(enum)
        inside = f"{scope}{enum['name']}::" if enum.get("name") else scope
        for c in enum.get("inner", ()):
            if c.get("id") in values:
                for where in {inside} if enum.get("scopedEnumTag") else {inside, scope}:
                    self.names.add_constant(c["name"], where, values[c["id"]])

    def _add(self, node: Node, scope: str) -> None:
        from .types import known_type

        name = node.get("name", "")
        if known_type(name):
            return
        closure = not name and any(m.get("name") == "operator()" for m in _members(node))
        name += _arguments(node)
        record = Record(node, _HIDDEN.sub("", scope) + name if name else "", closure)
        self.by_id[node["id"]] = record
        self.scopes[node["id"]] = f"{scope}{node.get('name') or node['id']}::"
        for c in record.fields:
            self.field_names[c["id"]] = record.field_name(c)
        for m in _members(node):
            self.owners[m["id"]] = record
            self.methods[m["id"]] = m
        if name:
            shown = {name: None, name.replace(", void>", ">"): None}  # clang leaves out what is a default
            for text in shown:
                self.names.add(text, Meaning(scope, record))
            return
        for at in (node.get("loc", {}), node.get("range", {}).get("begin", {})):
            at = at.get("expansionLoc", at)
            if "line" in at:
                self.names.by_place.setdefault(f"{at.get('file')}:{at['line']}:{at['col']}", []).append(record)

    def previous_end(self, record: Record, member: Node) -> tuple[str, int]:
        """Return the file and line where what stands before a member function ends: a member, or the struct's head."""
        begin = _place(member.get("range", {}).get("begin", {}))
        found = _place(record.node.get("range", {}).get("begin", {}))
        ends = [_place(c.get("range", {}).get("end", {})) for c in record.node.get("inner", ())]
        ends = [e for e in (*ends, found) if e.get("file") == begin.get("file") and "line" in e]
        return begin.get("file", ""), max((e["line"] for e in ends if e["line"] < begin["line"]), default=0)

    def find(self, text: str) -> tuple[str, dict[str, Record]]:
        """Replace the records in a printed type by words; return the text and what each word stands for."""
        return self.names.find(text, self.scope)

    @contextmanager
    def within(self, decl: Node) -> Generator[None]:
        """Read types as they are written in a function or record."""
        before, self.scope = self.scope, self.scopes.get(decl.get("id", ""), self.scope)
        try:
            yield
        finally:
            self.scope = before


def _place(location: Node) -> Node:
    return location.get("expansionLoc", location)


def _declared(node: Node) -> str:
    """Return the id of the record that a typedef names directly, '' if it names none."""
    stack = list(node.get("inner", ()))
    while stack:
        n = stack.pop()
        if n.get("kind") in ("PointerType", "ConstantArrayType", "FunctionProtoType"):
            continue
        for key in ("ownedTagDecl", "decl"):
            if n.get(key, {}).get("kind") in _RECORDS:
                return n[key]["id"]
        stack.extend(n.get("inner", ()))
    return ""


def _arguments(node: Node) -> str:
    """The arguments of a template's instantiation, as clang prints them; empty for what is none."""
    if node.get("kind") != "ClassTemplateSpecializationDecl":
        return ""
    return f"<{', '.join(_argument(c) for c in node.get('inner', ()) if c.get('kind') == 'TemplateArgument')}>"


def _argument(node: Node) -> str:
    if "value" in node:
        return str(node["value"])
    info = node.get("type", {})
    return info.get("desugaredQualType") or info.get("qualType", "?")


def split(record: Record) -> bool:
    """Tell whether objects of a record are taken apart into variables: closures, empty ones, ones with pointers."""
    if record.closure or not record.fields:
        return True
    return any(re.search(r"[*&]", re.sub(r"\(lambda[^()]*\)", "", _printed(f))) for f in record.fields)


def _printed(node: Node) -> str:
    info = node["type"]
    return str(info.get("desugaredQualType") or info["qualType"])


def layout(records: Records, record: Record, loc: Loc | None) -> Struct:
    """Return a record as a type, laid out as C does; raises a refusal GP1103 for what has no plain layout."""
    from .matrices import FRAGMENT_NAMES, fragment_of

    if record.struct is not None:
        return record.struct
    if (found := fragment_of(record, loc)) is not None:
        record.struct = fragment_struct(_free_name(records, record, FRAGMENT_NAMES[found.use]), found)
        return record.struct
    node = record.node
    if record.laying_out:
        raise refuse("GP1103", f"{record.name} contains itself", loc)
    if node.get("bases"):
        raise refuse("GP1103", f"{record.name} has base classes", loc)
    if any(m.get("virtual") for m in _members(node)):
        raise refuse("GP1103", f"{record.name} has virtual functions", loc)
    attrs = [c for c in node.get("inner", ()) if str(c.get("kind", "")).endswith("Attr")]
    packed = any(a["kind"] == "PackedAttr" for a in attrs)
    limit = 1 if packed else 0
    for a in attrs:
        if a["kind"] == "MaxFieldAlignmentAttr":
            raise refuse("GP1103", f"{record.name} is packed by a pragma; use __attribute__((packed))", loc)
    union = node.get("tagUsed") == "union"
    refuse_destructor(record, loc)
    record.laying_out = True
    try:
        with records.within(record.node):
            members, end, widest = _members_of(records, record, limit, union, loc)
    finally:
        record.laying_out = False
    for a in attrs:
        if a["kind"] == "AlignedAttr":
            widest = max(widest, _value(a))
    size = max(-(-end // widest) * widest, 1)
    made = Struct(plain_name(records, record), tuple(members), size, widest, union)
    for offset, leaf in leaves(made):
        unit = leaf.elem.size if isinstance(leaf, Vector) else leaf.size
        if offset % unit or size % unit:
            raise refuse("GP1103", f"{record.name}, packed so that its members are not aligned", loc)
    record.struct = made
    return made


def refuse_destructor(record: Record, loc: Loc | None) -> None:
    """Refuse a record whose objects do something when they end (GP1103)."""
    for m in _members(record.node):
        body = next((c for c in m.get("inner", ()) if c.get("kind") == "CompoundStmt"), {})
        nothing = m.get("isImplicit") or m.get("explicitlyDefaulted") or (body and not body.get("inner"))
        if m["kind"] == "CXXDestructorDecl" and not nothing:
            raise refuse("GP1103", f"{record.name} has a destructor", loc)


def _members_of(
    records: Records, record: Record, limit: int, union: bool, loc: Loc | None
) -> tuple[list[Member], int, int]:
    """The members with their places, where the last one ends, and the widest alignment."""
    from .types import parse_type

    members: list[Member] = []
    end, widest = 0, 1
    for f in record.fields:
        name = record.field_name(f)
        if f.get("isBitfield"):
            raise refuse("GP1103", f"the bit-field {record.name}::{name}", loc)
        t = parse_type(f["type"], loc).type
        if isinstance(t, Pointer) or not _kept(t):
            raise refuse("GP1103", f"{record.name}::{name} of type {t}", loc)
        align = max(min(limit or 1 << 30, min(alignment_of(t), records.vector_alignment)), _aligned(f))
        offset = 0 if union else -(-end // align) * align
        members.append(Member(name, t, offset))  # pyright: ignore[reportArgumentType]
        end, widest = max(end, offset + t.size), max(widest, align)
    return members, end, widest


def _kept(t: Type) -> bool:
    while isinstance(t, Array):
        t = t.elem
    return (isinstance(t, Scalar) and t.size > 0) or isinstance(t, Vector | Struct)


def _aligned(node: Node) -> int:
    return max((_value(a) for a in node.get("inner", ()) if a.get("kind") == "AlignedAttr"), default=1)


def _value(attr: Node) -> int:
    for c in attr.get("inner", ()):
        if "value" in c:
            return int(c["value"])
    return 16  # `aligned` alone: the target's largest alignment


def plain_name(records: Records, record: Record) -> str:
    """Return an identifier for a record: `Pair_float` for `Pair<float>`."""
    text = record.name if "<" in record.name else record.name.rsplit("::", 1)[-1]
    base = re.sub(r"_+", "_", re.sub(r"\W+", "_", text)).strip("_")
    return _free_name(records, record, base or ("Bits" if record.node.get("tagUsed") == "union" else "Parts"))


def _free_name(records: Records, record: Record, base: str) -> str:
    name, n = base, 2
    while records.taken.get(name, record) is not record:
        name, n = f"{base}_{n}", n + 1
    records.taken[name] = record
    return name
