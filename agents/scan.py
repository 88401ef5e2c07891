"""The first look at a kernel that a model wrote: is it text of the destination's language and nothing else?

The reader that reads it back is the real fence: it knows no file, no state that outlives a launch, no host. What it
cannot see, the preprocessor, is looked at here.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ..backends.clang.tool import raw_tokens
from ..backends.readers import read_text
from ..hwmodels.errors import GpuportError
from ..ir.types import Pointer, Scalar
from ..porting.verify.text import gate_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..backends.base import KernelText
    from ..backends.clang.tool import Token
    from ..porting.spec import Kernel

MOST_CHARS = 250_000
ALLOWED_INCLUDES = {"<hip/hip_runtime.h>", "<metal_stdlib>", "<metal_simdgroup>", "<metal_math>", "<metal_atomic>"}
FILE_DIRECTIVES = {"include", "include_next", "import", "embed", "include_macros"}
REFUSED = {
    "__has_include": "a kernel may not look for files", "__has_embed": "a kernel may not look for files",
    "_Pragma": "no pragma in an operator", "asm": "no assembly", "__asm": "no assembly", "__asm__": "no assembly",
}  # fmt: skip
ATTRIBUTES = frozenset(
    "aligned always_inline noinline unused reqd_work_group_size work_group_size_hint vec_type_hint opencl_unroll_hint "
    "max_total_threads_per_threadgroup unlikely likely fallthrough nodiscard maybe_unused".split()
)
"""Attributes that say nothing of when a function runs, by which name it is known, or where it lies."""


def scan(text: KernelText, kernel: Kernel) -> str:
    """Return why a text is not accepted, in words; empty if it is. Nothing of it is compiled or run."""
    if len(text.header) + len(text.source) > MOST_CHARS:
        return f"the text is longer than {MOST_CHARS} characters"
    for part, body in ((text.header, False), (text.source, text.language == "metal")):
        if found := _odd_token(part, body=body):
            return found
    # before any preprocessor, whose messages could show what it read
    if (said := gate_text(text)).verdict == "refuted":
        return said.detail
    try:
        program = read_text(text)
    except GpuportError as error:
        return str(error)
    except RecursionError:
        return "the text is nested too deeply to be read"
    return _signature(kernel, {p.name: p.type for p in program.kernel.params})


def _odd_token(text: str, *, body: bool) -> str:
    """Return what the reader would not see or not mind, in words, by the tokens before any preprocessing.

    body: the text goes between the braces of a function, and may not close it.
    """
    if not text:
        return ""
    with tempfile.TemporaryDirectory(prefix="gpuport-") as tmp:
        path = Path(tmp) / "text"
        path.write_text(text, encoding="utf-8")
        tokens = [t for t in raw_tokens(path) if t.kind != "comment"]
    lines = text.split("\n")
    depth = 0
    for at, token in enumerate(tokens):
        if token.kind == "hash" and at + 1 < len(tokens) and tokens[at + 1].text in FILE_DIRECTIVES:
            line = lines[token.line - 1].strip()
            named = re.sub(r"^\W*include\s*", "", line)
            if tokens[at + 1].text != "include" or named not in ALLOWED_INCLUDES:
                return f"{line[:80]}: a kernel may not read files"
        if token.text in REFUSED:
            return f"{token.text}: {REFUSED[token.text]}"
        if token.text in ("__attribute__", "__attribute") and (odd := _attributes(tokens[at + 1 :], "(")):
            return f"the attribute {odd}"
        # x[[...] is no index in any of these languages: an attribute of C++
        if token.text == "[" == next((t.text for t in tokens[at + 1 : at + 2]), "") and (
            odd := _attributes(tokens[at:], "[")
        ):
            return f"the attribute {odd}"
        depth += {"{": 1, "}": -1}.get(token.text, 0)
        if body and depth < 0:
            return f"line {token.line}: a brace that closes the kernel"
    return ""


def _attributes(tokens: Sequence[Token], opening: str) -> str:
    """Return the first name between the double brackets at the front that is no harmless attribute's."""
    depth = 0
    for token in tokens:
        depth += {opening: 1, {"(": ")", "[": "]"}[opening]: -1}.get(token.text, 0)
        if depth == 2 and token.kind == "raw_identifier" and token.text.strip("_") not in ATTRIBUTES:
            return token.text
        if depth == 0:
            break
    return ""


def _signature(kernel: Kernel, found: dict[str, object]) -> str:
    given = {n: t for n, t in found.items() if n in kernel.args}
    missing = [n for n in kernel.args if n not in given]
    if missing:
        return f"the kernel has no argument {missing[0]}; expected ({', '.join(kernel.args)})"
    extra = [n for n in found if n not in kernel.args]
    if extra:
        return f"the kernel has an argument {extra[0]} that the spec does not; expected ({', '.join(kernel.args)})"
    if list(found) != list(kernel.args):
        return f"the arguments are in another order; expected ({', '.join(kernel.args)})"
    for name, arg in kernel.args.items():
        t = given[name]
        if isinstance(t, Pointer) != arg.is_buffer:
            return f"argument {name}: expected a {'buffer' if arg.is_buffer else 'scalar'}"
        elem = t.elem if isinstance(t, Pointer) else t
        if isinstance(elem, Scalar) and elem.size != arg.scalar.size:
            return f"argument {name}: expected {arg.dtype}, found {elem}"
    return ""
