"""The tables of docs/machines.md, made from the models: `python -m gpuport.hwmodels.document docs/machines.md`."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .errors import MachineError
from .fields import FIELDS
from .loader import builtin_names, load_machine
from .show import mark

if TYPE_CHECKING:
    from .machine import Machine

_COLUMNS: Final = (
    ("units", "execution.compute_units"),
    ("lanes", "execution.subgroup_width"),
    ("threads/group", "limits.threads_per_group"),
    ("shared/group", "shared.per_group_optin"),
    ("L2", "cache.l2.size"),
    ("memory", "memory.size"),
    ("bandwidth", "memory.bandwidth"),
    ("f32", "rates.vector.f32"),
    ("f16 matrix", "rates.matrix.f16.f32"),
)
VENDORS: Final = ("nvidia", "amd", "apple", "intel", "qualcomm", "arm", "cpu")


def listing_order(machine: Machine) -> tuple[int, list[tuple[str, int]]]:
    """Sort key for lists of machines: by vendor, then by id with its numbers as numbers."""
    vendor = VENDORS.index(machine.vendor) if machine.vendor in VENDORS else len(VENDORS)
    return vendor, [(text, int(digits or 0)) for text, digits in re.findall(r"(\D+)(\d*)", machine.id)]


def _cell(machine: Machine, path: str) -> str:
    if not machine.known(path):
        return "?"
    fact = machine.fact(path)
    shown = re.sub(r" (lane|thread)s?$", "", str(fact))
    return f"{shown}{mark(fact)}"


def device_table() -> str:
    """All shipped devices as a Markdown table; ° is unverified, ? is unknown."""
    head = ["id", "names", "arch", *(title for title, _ in _COLUMNS)]
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for machine in sorted((load_machine(name) for name in builtin_names()), key=listing_order):
        names = ", ".join([machine.name, *machine.aliases])
        cells = [f"`{machine.id}`", names, machine.arch, *(_cell(machine, path) for _, path in _COLUMNS)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def field_table() -> str:
    """All facts that a model may state as a Markdown table."""
    lines = ["| fact | unit | meaning |", "| --- | --- | --- |"]
    for field in FIELDS:
        words = " or ".join(field.choices) if 0 < len(field.choices) < 6 else "text"
        unit = words if field.unit == "text" else field.unit
        many = " (list)" if field.shape == "list" else ""
        lines.append(f"| `{field.path}` | {unit}{many} | {field.label} |")
    return "\n".join(lines)


def fill(text: str) -> str:
    """The document with its generated tables renewed, between `<!-- NAME -->` and `<!-- end -->`."""
    for name, table in (("devices", device_table()), ("facts", field_table())):
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- end -->)", re.DOTALL)
        if not pattern.search(text):
            raise MachineError(f"no <!-- {name} --> ... <!-- end --> in the document")
        text = pattern.sub(lambda match, table=table: match[1] + table + match[2], text)
    return text


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(fill(target.read_text(encoding="utf-8")), encoding="utf-8")
