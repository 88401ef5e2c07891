"""The first look at a kernel that a model wrote: is it text of the destination's language and nothing else?

The reader that reads it back is the real fence: it knows no file, no state that outlives a launch, no host. What it
cannot see, the preprocessor, is looked at here.
"""

from __future__ import annotations

import re
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from ..backends.clang.tool import raw_tokens
from ..backends.readers import read_text
from ..hwmodels.errors import GpuportError
from ..ir.types import Pointer, Scalar

if TYPE_CHECKING:
    from ..backends.base import KernelText
    from ..porting.spec import Kernel

ALLOWED_INCLUDES = {"<hip/hip_runtime.h>", "<metal_stdlib>", "<metal_simdgroup>", "<metal_math>", "<metal_atomic>"}
FILE_DIRECTIVES = {"include", "include_next", "import", "embed", "include_macros"}


def scan(text: KernelText, kernel: Kernel) -> str:
    """Return why a text is not accepted, in words; empty if it is. Nothing of it is compiled or run."""
    for part in (text.header, text.source):
        if found := _file_directive(part):
            return f"{found}: a kernel may not read files"
    try:
        program = read_text(text)
    except GpuportError as error:
        return str(error)
    return _signature(kernel, {p.name: p.type for p in program.kernel.params})


def _file_directive(text: str) -> str:
    """Return the first directive that reads a file, other than the standard headers that our reader stands in for."""
    with tempfile.TemporaryDirectory(prefix="gpuport-") as tmp:
        path = Path(tmp) / "text"
        path.write_text(text, encoding="utf-8")
        tokens = raw_tokens(path)
    lines = text.split("\n")
    for before, token in pairwise(tokens):
        if before.kind == "hash" and token.text in FILE_DIRECTIVES:
            line = lines[token.line - 1].strip()
            named = re.sub(r"^\W*include\s*", "", line)
            if token.text != "include" or named not in ALLOWED_INCLUDES:
                return line[:80]
        if token.text in ("__has_include", "__has_embed", "_Pragma"):
            return token.text
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
