"""clang's printed types (`const __global float *restrict`, `float[32][33]`) as IR types."""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...ir.diagnostics import refuse
from ...ir.types import (
    BF16,
    BOOL,
    F16,
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    VOID,
    Array,
    Pointer,
    Scalar,
    Space,
    Struct,
    Type,
    Vector,
)  # fmt: skip
from .records import Record, Records, layout, split

if TYPE_CHECKING:
    from ...ir.nodes import Loc

# LP64, which CUDA on Linux, OpenCL C and Metal share for these spellings
SCALAR_NAMES: dict[str, Scalar] = {
    "void": VOID, "bool": BOOL, "_Bool": BOOL, "char": I8, "signed char": I8, "unsigned char": U8, "short": I16,
    "unsigned short": U16, "int": I32, "unsigned int": U32, "unsigned": U32, "long": I64, "unsigned long": U64,
    "long long": I64, "unsigned long long": U64, "float": F32, "double": F64, "half": F16, "__fp16": F16,
    "_Float16": F16, "__bf16": BF16, "__half": F16, "__nv_bfloat16": BF16,
    "bfloat": BF16, "float16_t": F16, "bfloat16_t": BF16,
    "uchar": U8, "ushort": U16, "uint": U32, "ulong": U64, "size_t": U64, "ptrdiff_t": I64,
    "mem_flags": I32, "memory_order": I32, "thread_scope": I32, "simd_vote": U64,
    "atomic_int": I32, "atomic_uint": U32, "atomic_float": F32, "atomic_ulong": U64,
    "int8_t": I8, "int16_t": I16, "int32_t": I32, "int64_t": I64, "uint8_t": U8, "uint16_t": U16, "uint32_t": U32,
    "uint64_t": U64,
}  # fmt: skip

VECTOR_BASES: dict[str, Scalar] = {
    "char": I8, "uchar": U8, "short": I16, "ushort": U16, "int": I32, "uint": U32, "long": I64, "ulong": U64,
    "longlong": I64, "ulonglong": U64, "half": F16, "float": F32, "double": F64,
}  # fmt: skip

PAIRS: dict[str, Scalar] = {"__half2": F16, "__nv_bfloat162": BF16}  # CUDA's names do not follow the pattern

SPACES: dict[str, Space] = {
    "__global": Space.GLOBAL, "__local": Space.SHARED, "__constant": Space.CONSTANT, "__private": Space.PRIVATE,
    "__generic": Space.GENERIC, "device": Space.GLOBAL, "threadgroup": Space.SHARED, "constant": Space.CONSTANT,
    "thread": Space.PRIVATE,
    "__attribute__((address_space(1)))": Space.GLOBAL, "__attribute__((address_space(3)))": Space.SHARED,
    "__attribute__((address_space(2)))": Space.CONSTANT,
}  # fmt: skip

_TOKEN = re.compile(
    r"__attribute__\(\((?:address_space|ext_vector_type)\(\d+\)\)\)"
    r"|__attribute__\(\(.*?\)\)|\[(?P<length>\d*)\]|[A-Za-z_][\w:]*|\*|&&|&|\(|\)|<|>|,|\S"
)


RECORDS: ContextVar[Records | None] = ContextVar("gpuport_records", default=None)
"""The records of the unit that is being lowered: a printed type names them."""


def known_type(name: str) -> bool:
    """Tell whether a record's name is that of a type that the IR has by itself (`float4`)."""
    return _base([name], 0, {}, None) is not None


def split_record(info: dict[str, Any]) -> Record | None:
    """Return the record of a type (or of a reference to it) whose objects are taken apart into variables."""
    records = RECORDS.get()
    printed: str = info.get("desugaredQualType") or info.get("qualType", "")
    if records is None or printed.rstrip().endswith("*"):
        return None
    text, words = records.find(printed)
    bare = re.sub(r"\b(?:const|struct|class|union|volatile)\b|&", "", text).strip()
    record = words.get(bare)
    return record if record is not None and split(record) else None


_LANES = re.compile(r"__attribute__\(\(ext_vector_type\((\d+)\)\)\)")


@dataclass(slots=True)
class ParsedType:
    """An IR type, and what C adds to it: the space and constness of the object itself, whether it is a reference."""

    type: Type
    space: Space | None = None
    const: bool = False
    reference: bool = False


def parse_type(info: dict[str, Any], loc: Loc | None = None) -> ParsedType:
    """Read a `type` entry of clang's AST; raises a refusal GP1103 for a type that the IR does not have."""
    printed: str = info.get("desugaredQualType") or info.get("qualType", "")
    parsed = _parse(printed, loc)
    if parsed is None and "qualType" in info and printed != info["qualType"]:
        parsed = _parse(info["qualType"], loc)
    if parsed is None:
        raise refuse("GP1103", f"type {info.get('qualType', '?')!r} is not supported", loc)
    return parsed


def result_type(info: dict[str, Any], loc: Loc | None = None) -> ParsedType:
    """Read the result of a function's type: `float (int) const`, `auto (int) -> float`."""
    return parse_type({"qualType": result_text(info["qualType"])}, loc)


def result_text(text: str) -> str:
    """Return a function's printed type without its parameter list and what qualifies the function itself.

    clang prints a vector's attribute before the list or behind it.
    """
    if "->" in text:
        return text.rsplit("->", 1)[1].strip()
    depth = start = 0
    for i, character in enumerate(text):
        if character == "(":
            start = i if depth == 0 else start
            depth += 1
        elif character == ")":
            depth -= 1
            if depth == 0 and not text[:start].endswith("__attribute__"):
                lanes = _LANES.search(text, i)
                return f"{text[:start]}{lanes[0] if lanes else ''}".strip()
    return text


def _parse(text: str, loc: Loc | None) -> ParsedType | None:
    records = RECORDS.get()
    known: dict[str, Record] = {}
    if records is not None:
        text, known = records.find(text)
    words: list[str] = []
    vector = _LANES.search(text)  # which stands behind the `*` of a pointer to it where a template's argument is one
    lanes = int(vector[1]) if vector else 0
    lengths: list[int] = []
    const = volatile = restrict = reference = False
    space: Space | None = None
    current: Type | None = None

    def base() -> Type | None:
        return _base(words, lanes, known, loc)

    position = 0
    paren = False
    for match in _TOKEN.finditer(text):
        token = match[0]
        position = match.end()
        if match["length"] is not None:
            lengths.append(int(match["length"] or 0))
        elif token in SPACES:
            space = SPACES[token]
        elif token.startswith("__attribute__"):
            continue
        elif token in ("const", "volatile"):
            const, volatile = const or token == "const", volatile or token == "volatile"
        elif token in ("restrict", "__restrict", "__restrict__"):
            restrict = True
            if isinstance(current, Pointer):
                current = Pointer(current.elem, current.space, current.const, True, current.volatile)
        elif token == "*":
            current = current if current is not None else base()
            if current is None or isinstance(current, Array):
                return None
            current = Pointer(current, space or Space.GENERIC, const, restrict, volatile)
            const = volatile = restrict = False
            space = None
        elif token in ("&", "&&"):
            reference = True
        elif token == "(" and not paren:
            # `float (*)[33]`: a pointer to a row; the caller decides by its operand what it points to
            current = current if current is not None else base()
            paren = True
        elif token == ")" and paren:
            paren = False
        elif re.match(r"[A-Za-z_]", token) and current is None:
            if token not in ("struct", "class", "union", "enum", "typename"):
                words.append(token)
        else:
            return None
    del position
    result = current if current is not None else base()
    if result is None:
        return None
    for length in reversed(lengths):
        if isinstance(result, Array) or not isinstance(result, Pointer):
            result = Array(result, length)
        elif "(" in text:
            return ParsedType(result, space, const, reference)  # pointer to array: only passes through a decay
        else:
            return None
    return ParsedType(result, space, const, reference)


def _base(words: list[str], lanes: int, known: dict[str, Record], loc: Loc | None) -> Scalar | Vector | Struct | None:
    records = RECORDS.get()
    if len(words) == 1 and words[0] in known and records is not None:
        record = known[words[0]]
        if split(record):
            raise refuse("GP1103", f"a value of type {record.name}, which holds pointers, in this place", loc)
        return layout(records, record, loc)
    name = " ".join(w.rsplit("::", 1)[-1] for w in words)
    if lanes:
        scalar = SCALAR_NAMES.get(name)
        return Vector(scalar, lanes) if scalar else None
    if name in SCALAR_NAMES:
        return SCALAR_NAMES[name]
    if name in PAIRS:
        return Vector(PAIRS[name], 2)
    if name == "dim3":
        return Vector(U32, 3)
    match = re.fullmatch(r"([a-z]+?)([2348]|16)", name.removeprefix("packed_"))
    if match and match[1] in VECTOR_BASES:
        return Vector(VECTOR_BASES[match[1]], int(match[2]))
    return None
