"""What the command prints on a terminal: progress on standard error, tables on standard output."""

from __future__ import annotations

import textwrap
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from rich.console import Console

    from .backends.base import Availability
    from .porting.check import CheckReport
    from .porting.replay import Replay
    from .porting.report import PortReport

STYLES = {"VERIFIED (device)": "bold green", "VERIFIED (emulated)": "green", "UNVERIFIED": "yellow"}


@contextmanager
def port_progress(*, enabled: bool) -> Generator[Callable[[str, str, int, int], None]]:
    """Yield a function (destination, stage, done, total) that shows a bar per destination.

    It draws on standard error, and nothing where that is no terminal.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = _errors()
    if not enabled or not console.is_terminal:
        yield lambda _dst, _stage, _done, _total: None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.fields[dst]:>12}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        tasks: dict[str, object] = {}

        def show(dst: str, stage: str, done: int, total: int) -> None:
            if dst not in tasks:
                tasks[dst] = bars.add_task(stage, dst=dst, total=total)
            bars.update(tasks[dst], description=stage, completed=done, total=total)  # pyright: ignore[reportArgumentType]

        yield show


def swarm_line(*, enabled: bool) -> Callable[[str], None] | None:
    """Return a function that shows what became of each candidate, on standard error; None where nobody looks."""
    console = _errors()
    if not enabled or not console.is_terminal:
        return None
    return lambda line: console.print(line, markup=False, highlight=False, soft_wrap=True)


@cache
def _errors() -> Console:
    """The console on standard error: one for bars and lines, or they would overwrite one another."""
    from rich.console import Console

    return Console(stderr=True)


def port_table(reports: Sequence[PortReport], out: Path | None) -> None:
    """Print one row per destination, the reasons below, and where the reports are."""
    from rich.table import Table
    from rich.text import Text

    from .porting.report.write import folder_names

    console = _console()
    first = reports[0]
    table = Table(title=f"{first.kernel.entry} · {first.src.id}", title_justify="left", title_style="bold")
    for name, justify in (
        ("to", "left"),
        ("verdict", "left"),
        ("sizes", "right"),
        ("error / bound", "right"),
        ("time", "right"),
    ):
        table.add_column(name, justify=justify)  # pyright: ignore[reportArgumentType]
    wide = out is not None and console.width >= 100
    if wide:
        table.add_column(f"report, in {out}", overflow="fold")
    for report, folder in zip(reports, folder_names(reports), strict=True):
        worst = report.worst.worst if report.worst else None
        row = [
            report.dst.id,
            Text(report.verdict, style=STYLES.get(report.verdict, "bold red")),
            str(len(report.sizes)) if report.sizes else "",
            f"{worst.share:.3g}" if worst else "",
            _time(report),
        ]
        table.add_row(*row, *([f"{folder}/report.html"] if wide else []))
    console.print(table)
    for report in reports:
        if report.reason:
            console.print(Text(f"{report.dst.id}: {report.reason}"), soft_wrap=True)
    if out is not None:
        console.print(f"all of them: {out / 'index.html'}", soft_wrap=True, highlight=False)


def replay_lines(found: Replay) -> None:
    """Print the results that differ, and a closing line."""
    from rich.text import Text

    console = _console()
    for note in found.notes:
        console.print(Text(note, style="yellow"), soft_wrap=True)
    for backend, why in found.skipped.items():
        console.print(Text(f"{backend}: not repeated: {why}", style="yellow"), soft_wrap=True)
    for row in found.differing:
        at = ", ".join((*(f"{k} = {v}" for k, v in row.size.items()), *([row.inputs] if row.inputs else [])))
        line = f"{row.gate}{f' at {at}' if at else ''} ({row.backend}): {row.then or 'not there'} then, "
        console.print(Text(f"{line}{row.now or 'not there'} now: {row.detail}", style="bold red"), soft_wrap=True)
    agreed = len(found.rows) - len(found.differing)
    console.print(
        Text(f"{found.kernel} for {found.dst}, seed {found.seed}: {agreed} of {len(found.rows)} results agree"),
        soft_wrap=True,
    )


def check_lines(report: CheckReport) -> None:
    """Print each finding as compilers do, place first, with its line of source, and a closing line; 80 columns."""
    from rich.text import Text

    console, width, sources = _console(), 80, dict[str, list[str]]()
    for f in report.findings:
        place = f"{f.file}:{f.line}:{f.col}:" if f.line else f"{report.file}:"
        sizes = ", ".join(f"{k} = {n}" for k, n in f.size.items())
        more = f"; {f.sizes} of {len(report.sizes)} sizes" if len(report.sizes) > 1 else ""
        told = f"{place} {f.kind}: {f.message} [{sizes or 'the only size'}{more}]"
        lines = textwrap.wrap(told, width, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
        text = Text("\n".join(lines))
        text.highlight_words([f"{f.kind}:"], style="bold red")
        console.print(text, soft_wrap=True)
        for line in _source_lines(report.file, f.file, f.line, f.col, width, sources):
            console.print(Text(line, style="dim"), soft_wrap=True)
    count, sizes = len(report.findings), len(report.sizes)
    said = "clean" if report.clean else f"{count} defect{'s' if count > 1 else ''}"
    console.print(
        Text(f"{report.entry}: {said}", style="bold green" if report.clean else "bold red").append(
            f" at {sizes} size{'s' if sizes > 1 else ''} on an emulated {report.machine}, seed {report.seed}",
            style="not bold",
        ),
        soft_wrap=True,
    )


def _source_lines(file: str, named: str, line: int, col: int, width: int, cache: dict[str, list[str]]) -> list[str]:
    """A line of source and a mark under a column; nothing where the file is another one or the line is too long."""
    path = Path(file)
    if path.name != Path(named).name or line < 1:
        return []
    if file not in cache:
        try:
            cache[file] = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            cache[file] = []
    if line > len(cache[file]):
        return []
    text = cache[file][line - 1]
    lead = len(text) - len(text.lstrip())
    at = col - 1 - lead
    shown = text.strip().expandtabs(4)
    if len(shown) + 4 > width or not 0 <= at < len(text.strip()) or "\t" in text.strip():
        return []
    return [f"    {shown}", f"    {' ' * at}^"]


def _time(report: PortReport) -> str:
    if report.measured:
        return f"{si_time(report.measured.median)} measured"
    if report.floor:
        return f"≥ {si_time(report.floor.seconds)} predicted"
    return ""


def si_time(seconds: float) -> str:
    """Return a time with three digits and a unit: `12.3 µs`."""
    for factor, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= factor:
            return f"{seconds / factor:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def doctor_table(found: Sequence[Availability]) -> None:
    """Print what each backend found."""
    from rich.table import Table

    table = Table()
    table.add_column("backend")
    table.add_column("runs here")
    table.add_column("found, or why not", overflow="fold")
    for a in found:
        table.add_row(a.backend, "[green]yes[/]" if a.available else "[yellow]no[/]", a.detail)
    _console().print(table)


def _console() -> Console:
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=max(console.width, 100))
