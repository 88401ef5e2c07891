"""What a report holds so that someone else can repeat the run: spec, files, candidate, limits."""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import json
import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from ..backends.base import KernelText, TextParam
from .report.schema import ReplayRecord
from .spec.expressions import Expression
from .spec.kernel import Kernel
from .spec.model import Strict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..hwmodels import Machine
    from .candidate import Candidate

MOST_BYTES: Final = 1 << 20


class CannotBundle(Exception):
    """Why a run cannot be repeated from its report."""


def bundle(kernel: Kernel, candidate: Candidate, src: Machine, dst: Machine, time_limit: float) -> ReplayRecord:
    """Return the record; where the run cannot be repeated from it, the record says only why."""
    try:
        spec = spec_data(kernel)
        files = files_of(kernel)
        top = Path(os.path.commonpath([kernel.folder.resolve(), *(f.parent for f in files)]))
        texts = {f.relative_to(top).as_posix(): f.read_text(encoding="utf-8") for f in files}
        if sum(map(len, texts.values())) > MOST_BYTES:
            raise CannotBundle(f"its source and reference have over {MOST_BYTES} bytes")
    except CannotBundle as why:
        return ReplayRecord(missing=str(why))
    except (OSError, ValueError) as error:
        return ReplayRecord(missing=f"its files cannot be kept: {error}")
    return ReplayRecord(
        spec=spec,
        folder=kernel.folder.resolve().relative_to(top).as_posix(),
        files=texts,
        candidate=json.loads(json.dumps(dataclasses.asdict(candidate.text))),
        constants=dict(candidate.constants),
        machines={m.id: fingerprint(m) for m in (src, dst)},
        time_limit=time_limit,
    )


def unpack(record: ReplayRecord, folder: Path) -> tuple[Kernel, KernelText]:
    """Write the files of a record into an empty folder; returns the kernel and the candidate's text."""
    for name, text in record.files.items():
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts:
            raise CannotBundle(f"{name!r} lies outside of the report")
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="")
    home = PurePosixPath(record.folder)
    if home.is_absolute() or ".." in home.parts:
        raise CannotBundle(f"{record.folder!r} lies outside of the report")
    text = dict(record.candidate)
    params = tuple(TextParam(**p) for p in text.pop("params"))
    options = tuple(text.pop("options", ()))
    return Kernel(**record.spec, folder=folder / home), KernelText(**text, params=params, options=options)


def fingerprint(machine: Machine) -> str:
    """Return the sha256 of a machine's facts, in hexadecimal: whether a model of the same name is the same model."""
    facts = {path: str(fact.value) for path, fact in sorted(machine.facts().items())}
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def spec_data(kernel: Kernel) -> dict[str, Any]:
    """Return a spec as the keywords of `Kernel`, in values that JSON has. Raises CannotBundle for functions."""
    model = kernel.model
    for key in ("python", "inputs"):
        if callable(getattr(model.reference, key)):
            raise CannotBundle(f"reference.{key} is a Python function that is in no file of the spec")
    data = {
        "source": model.source.as_posix(),
        "entry": model.entry,
        "language": model.language,
        "defines": dict(model.defines),
        "include_dirs": [d.as_posix() for d in model.include_dirs],
        "sizes": {k: list(v) for k, v in model.sizes.items()},
        "args": {name: _plain(arg) for name, arg in model.args.items()},
        "launch": _plain(model.launch),
        "reference": _plain(model.reference),
        "verify": _plain(model.verify),
    }
    if model.source.is_absolute() or any(d.is_absolute() for d in model.include_dirs):
        raise CannotBundle("the spec names files by absolute paths")
    return data


def _plain(value: Any) -> Any:
    """Models as tables of what is set in them, expressions as their texts, types as their names."""
    if isinstance(value, Strict):
        fields = {k: getattr(value, k) for k in type(value).model_fields}
        return {k: _plain(v) for k, v in fields.items() if v is not None}
    if isinstance(value, Expression):
        return value.text
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]  # pyright: ignore[reportUnknownVariableType]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def files_of(kernel: Kernel) -> list[Path]:
    """Return the files that a kernel is made of: its source, what it includes, the reference and what that imports."""
    folder = kernel.folder.resolve()
    dirs = [(folder / d).resolve() for d in kernel.model.include_dirs]
    found: dict[Path, None] = {}
    _included((folder / kernel.model.source).resolve(), dirs, found)
    for spec in (kernel.model.reference.python, kernel.model.reference.inputs):
        if isinstance(spec, str):
            _imported(folder, [spec.partition(":")[0].strip()], found)
    return list(found)


def _included(file: Path, dirs: list[Path], found: dict[Path, None]) -> None:
    """A source and the files it includes by quoted names; those of the system are everywhere."""
    if file in found:
        return
    found[file] = None
    for line in file.read_text(encoding="utf-8").splitlines():
        words = line.strip().removeprefix("#").strip()
        if not line.strip().startswith("#") or not words.startswith("include"):
            continue
        name = words.removeprefix("include").strip()
        closing = {'"': '"', "<": ">"}.get(name[:1], "")
        name = name[1:].partition(closing)[0] if closing else ""
        beside = [file.parent, *dirs] if closing == '"' else dirs
        if name and (there := next((d / name for d in beside if (d / name).is_file()), None)):
            _included(there.resolve(), dirs, found)


def _imported(folder: Path, modules: Iterable[str], found: dict[Path, None]) -> None:
    """Python modules beside the spec, and those beside it that they import."""
    for module in modules:
        file = folder.joinpath(*module.split(".")).with_suffix(".py")
        if file in found or not file.is_file():
            continue
        found[file] = None
        names: list[str] = []
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names += [a.name for a in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.append(node.module)
        _imported(folder, names, found)


def same_machines(record: ReplayRecord, machines: Mapping[str, Machine]) -> list[str]:
    """Return the ids of machines whose models are not what they were."""
    return [i for i, m in machines.items() if record.machines.get(i) != fingerprint(m)]
