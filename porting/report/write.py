"""Writing a port's package and reports, all or nothing, and reading a report back."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ...hwmodels.errors import GpuportError
from .render import render_html, render_index, render_markdown
from .schema import SCHEMA_VERSION, PortReport

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class ReportError(GpuportError):
    """A report cannot be read or written."""


def write_report(report: PortReport, directory: str | Path) -> list[Path]:
    """Write kernel, wrapper, report.json, report.md and report.html into `directory`; return their paths.

    Everything is rendered and written beside the directory first and moved in at the end. A refused port has no kernel;
    a refuted one is kept as NAME.refuted.SUFFIX, without a wrapper, so that nobody imports it. The package that an
    earlier report in the directory lists is removed; other files stay. Raises ReportError where it cannot be written.
    """
    texts = _package(report)
    texts["report.json"] = report.model_dump_json(indent=2) + "\n"
    texts["report.md"] = render_markdown(report)
    texts["report.html"] = render_html(report)
    return _write_all(Path(directory), texts)


def write_index(reports: Sequence[PortReport], directory: str | Path) -> list[Path]:
    """Write index.html and index.json over reports that stand in `directory` / `folder_names(reports)`."""
    folders = folder_names(reports)
    entries = [
        {
            "kernel": r.kernel.name,
            "src": r.src.id,
            "dst": r.dst.id,
            "verdict": r.verdict,
            "reason": r.reason,
            "report": f"{folder}/report.json",
            "median_seconds": r.measured.median if r.measured else None,
            "predicted_floor_seconds": r.floor.seconds if r.floor else None,
        }
        for r, folder in zip(reports, folders, strict=True)
    ]
    index = {"schema_version": SCHEMA_VERSION, "reports": entries}
    texts = {
        "index.html": render_index(list(zip(reports, folders, strict=True))),
        "index.json": json.dumps(index, indent=2) + "\n",
    }
    return _write_all(Path(directory), texts)


def folder_names(reports: Sequence[PortReport]) -> list[str]:
    """The folder of each report below its index: the destination's id, below the kernel's name if there are several."""
    several = len({r.kernel.name for r in reports}) > 1
    return [f"{r.kernel.name}/{r.dst.id}" if several else r.dst.id for r in reports]


def load_report(path: str | Path) -> PortReport:
    """Read report.json, or the one in a directory. Raises ReportError: the file, the key, what was expected."""
    path = Path(path)
    file = path / "report.json" if path.is_dir() else path
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReportError(f"{file}: {error.strerror or error}") from None
    except ValueError as error:
        raise ReportError(f"{file}: not JSON: {error}") from None
    version: Any = data.get("schema_version") if isinstance(data, dict) else None
    if version != SCHEMA_VERSION:
        raise ReportError(f"{file}: schema_version: expected {SCHEMA_VERSION}, found {version!r}")
    try:
        return PortReport.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise ReportError(f"{file}: {key}: {first['msg']}{more}") from None


def _package(report: PortReport) -> dict[str, str]:
    if report.ported is None or report.verdict == "REFUSED":
        return {}
    if report.verdict == "REFUTED":
        stem, dot, suffix = report.ported.name.rpartition(".")
        return {f"{stem}{dot}refuted{dot}{suffix}" if dot else f"{suffix}.refuted": report.ported.text}
    files = {report.ported.name: report.ported.text}
    if report.wrapper:
        files[report.wrapper.name] = report.wrapper.text
    return files


def _write_all(directory: Path, texts: Mapping[str, str]) -> list[Path]:
    for name in texts:
        if Path(name).name != name or name in ("", ".", ".."):
            raise ReportError(f"{directory}: {name!r} is no plain file name")
    made: list[Path] = []
    done = False
    try:
        stale = _stale(directory) - texts.keys() if "report.json" in texts else set[str]()
        made = _make(directory)
        # inside the directory, so that each move is a rename on one file system
        with tempfile.TemporaryDirectory(prefix=".gpuport-", dir=directory) as staging:
            for name, text in texts.items():
                (Path(staging) / name).write_text(text, encoding="utf-8", newline="\n")
            _swap(Path(staging), directory, list(texts), stale)
        done = True
    except OSError as error:
        raise ReportError(f"{error.filename or directory}: {error.strerror or error}") from None
    finally:
        if not done:
            for folder in made:
                _remove_empty(folder)
    return [directory / name for name in texts]


def _swap(staging: Path, directory: Path, new: Sequence[str], stale: set[str]) -> None:
    """Move the new files in and the old ones out; put everything back where a move fails."""
    old = Path(tempfile.mkdtemp(prefix="old-", dir=staging))
    moved: list[str] = []
    try:
        for name in (*stale, *new):
            if (directory / name).exists():
                os.replace(directory / name, old / name)
        for name in new:
            os.replace(staging / name, directory / name)
            moved.append(name)
    except BaseException:
        for name in moved:
            (directory / name).unlink()
        for file in old.iterdir():
            file.rename(directory / file.name)
        raise


def _make(directory: Path) -> list[Path]:
    """Make a directory; return what had to be made, innermost first."""
    missing = [d for d in (directory, *directory.parents) if not d.exists()]
    directory.mkdir(parents=True, exist_ok=True)
    return missing


def _remove_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return


def _stale(directory: Path) -> set[str]:
    """Files of the package that the report already in the directory lists; nothing if it cannot be read."""
    if not (directory / "report.json").is_file():
        return set()
    try:
        return set(_package(load_report(directory)))
    except ReportError:
        return set()
