"""`gpuport machines`: list, show, diff, lint, schema, probe. Each prints for people, or JSON with --json."""

from __future__ import annotations

import functools
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec, TypeVar

import typer

from .errors import GpuportError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from .compare import Change
    from .lint import Finding
    from .machine import Machine
    from .schema import Fact

P = ParamSpec("P")
R = TypeVar("R")

app = typer.Typer(help="Machine models: what each device can do, with a source for every number.", no_args_is_help=True)

_WIDTH = 100
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _one_line(command: Callable[P, R]) -> Callable[P, R]:
    """Print a user's error as one line and exit with its code."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except GpuportError as error:
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(error.exit_code) from None

    return run


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, width=None if stream.isatty() else _WIDTH, highlight=False)


def _emit(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _scaled(factor: float) -> Callable[[Fact], str]:
    """The bare number in a larger unit, which the column's head names."""

    def show(fact: Fact) -> str:
        value = fact.value
        return f"{value / factor:.4g}" if isinstance(value, int | float) else str(fact)

    return show


_COLUMNS = (
    ("units", "execution.compute_units", str),
    ("lanes", "execution.subgroup_width", _scaled(1)),
    ("shared KiB", "shared.per_group_optin", _scaled(1024)),
    ("f32 TFLOP/s", "rates.vector.f32", _scaled(1e12)),
    ("f16 matrix", "rates.matrix.f16.f32", _scaled(1e12)),
    ("GB/s", "memory.bandwidth", _scaled(1e9)),
    ("memory", "memory.size", str),
)


def _list_row(machine: Machine) -> list[str]:
    from .show import mark

    row = [machine.id, machine.arch]
    for _, path, show in _COLUMNS:
        row.append(show(machine.fact(path)) + mark(machine.fact(path)) if machine.known(path) else "")
    return row


@app.command("list")
@_one_line
def list_machines(
    architectures: Annotated[bool, typer.Option("--arch", help="List families and architectures instead.")] = False,
    as_json: AsJson = False,
) -> None:
    """List all devices that can be named; blank is unknown, ° is unverified."""
    from rich.table import Table

    from .document import listing_order
    from .loader import architecture_names, index, load_machine, machine_names

    names = architecture_names() if architectures else machine_names()
    machines = sorted((load_machine(name) for name in names), key=listing_order)
    if as_json:
        from .show import plain

        _emit(
            [
                {"id": m.id, "name": m.name, "vendor": m.vendor, "arch": m.arch, "aliases": list(m.aliases)}
                | {path: plain(m.get(path)) for _, path, _ in _COLUMNS if m.known(path)}
                for m in machines
            ]
        )
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("id", "arch"):
        table.add_column(title, no_wrap=True)
    for title, _, _ in _COLUMNS:
        table.add_column(title, justify="right", no_wrap=True)
    for machine in machines:
        table.add_row(*_list_row(machine))
    console = _console()
    console.print(table)
    console.print(
        f"{len(machines)} devices. ° unverified, blank unknown; `gpuport machines show NAME` has the sources."
    )
    for error in index().errors:
        typer.echo(f"warning: {error}", err=True)


def _fact_line(path: str, fact: Fact) -> tuple[str, str, str, str]:
    from .show import mark

    notes = [fact.note] if fact.note else []
    notes += [f"conflict: {fact.show(c.value)} ({c.source}{': ' + c.note if c.note else ''})" for c in fact.conflicts]
    bound = {"exact": "", "ceiling": "<= ", "floor": ">= "}[fact.bound] if fact.known else ""
    origin = f"{fact.kind}: {', '.join(s.id for s in fact.sources)}" if fact.sources else fact.kind
    return f"  {path.split('.', 1)[1]}", f"{bound}{fact}{mark(fact)}", origin, "; ".join(notes)


@app.command("show")
@_one_line
def show_machine(
    name: Annotated[str, typer.Argument(help="Id, alias, architecture, or path of a .toml file.")],
    as_json: AsJson = False,
) -> None:
    """Show every fact of a machine with its source, confidence mark and conflicts."""
    from rich.table import Table
    from rich.text import Text

    from .fields import FIELDS
    from .loader import load_machine
    from .show import machine_record

    machine = load_machine(name)
    if as_json:
        _emit(machine_record(machine))
        return
    console = _console()
    extends = " -> ".join([*machine.lineage, machine.id])
    console.print(Text(f"{machine.name}  ({machine.vendor}, {machine.arch}; {extends})", style="bold"))
    if machine.note:
        console.print(Text(machine.note))
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    for width in (28, 18, None):
        table.add_column(overflow="fold", max_width=width)
    facts = machine.facts()
    for group in dict.fromkeys(field.group for field in FIELDS):
        inside = {path: fact for path, fact in facts.items() if path.startswith(group + ".")}
        if inside:
            table.add_row(Text(group, style="bold"), "", "", "")
        for path, fact in inside.items():
            table.add_row(*(Text(cell) for cell in _fact_line(path, fact)))
    console.print(table)
    unverified = sum(1 for f in machine.facts().values() if f.known and not f.verified)
    unknown = sum(1 for f in machine.facts().values() if not f.known)
    console.print(f"{len(machine.facts())} facts: {unverified} unverified (°), {unknown} unknown (?).")


def _change_record(change: Change) -> dict[str, Any]:
    from .show import fact_record

    facts = (("source", change.source_fact), ("destination", change.destination_fact))
    return {
        "path": change.path,
        "label": change.label,
        "tier": change.tier,
        "source": change.source,
        "destination": change.destination,
        "ratio": change.ratio,
        "why": change.why,
        "facts": {side: fact_record(fact) if fact is not None else None for side, fact in facts},
    }


def _marked(shown: str, fact: Fact | None) -> str:
    from .show import mark

    if fact is None or not fact.known:
        return shown
    return f"{shown}{mark(fact)} [{fact.source}]"


@app.command("diff")
@_one_line
def diff_machines(
    source: Annotated[str, typer.Argument(help="The machine that the kernel was written for.")],
    destination: Annotated[str, typer.Argument(help="The machine to port to.")],
    everything: Annotated[
        bool, typer.Option("--all", help="Also what has no consequence for correctness or speed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say what changes for someone who ports from one machine to another, the most consequential first."""
    from rich.table import Table
    from rich.text import Text

    from .compare import TIERS, compare
    from .loader import load_machine

    a, b = load_machine(source), load_machine(destination)
    changes = compare(a, b)
    if as_json:
        _emit({"source": a.id, "destination": b.id, "changes": [_change_record(c) for c in changes]})
        return
    titles = {"breaks": "What breaks", "limits": "What no longer fits", "speed": "Speed", "other": "Also different"}
    console = _console()
    console.print(Text(f"{a.name} -> {b.name}", style="bold"))
    for tier in TIERS:
        chosen = [c for c in changes if c.tier == tier and (everything or tier != "other")]
        if not chosen:
            continue
        table = Table(box=None, pad_edge=False, show_header=False)
        for width in (28, 24, 24, None):
            table.add_column(overflow="fold", max_width=width)
        for c in chosen:
            cells = (c.label, _marked(c.source, c.source_fact), _marked(c.destination, c.destination_fact), c.why)
            table.add_row(*(Text(cell) for cell in cells))
        console.print(Text(f"\n{titles[tier]}", style="bold"))
        console.print(table)
    hidden = sum(1 for c in changes if c.tier == "other")
    if hidden and not everything:
        console.print(
            Text(f"\n{hidden} more differences with --all. ° unverified; [source id] as in gpuport machines show.")
        )


def _finding_record(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "machine": finding.machine,
        "paths": list(finding.paths),
        "message": finding.message,
        "severity": finding.severity,
    }


@app.command("lint")
@_one_line
def lint_machines(
    paths: Annotated[list[Path] | None, typer.Argument(help="Model files; default: all that can be named.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check model files for facts that contradict each other, physics, or what they extend. Exit 1 if any do."""
    from .lint import lint_all, lint_paths

    count, findings = lint_paths(list(paths)) if paths else lint_all()
    errors = [f for f in findings if f.severity == "error"]
    if as_json:
        _emit({"files": count, "errors": len(errors), "findings": [_finding_record(f) for f in findings]})
    else:
        for finding in findings:
            typer.echo(f"{finding.severity}: {finding}" if finding.rule != "file" else f"error: {finding.message}")
        noted = len(findings) - len(errors)
        typer.echo(f"{count} files: {len(errors)} contradictions" + (f", {noted} acknowledged" if noted else ""))
    if errors:
        raise typer.Exit(1)


@app.command("schema")
@_one_line
def print_schema(
    out: Annotated[Path | None, typer.Option("--out", help="Write it to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the JSON Schema of model files, for editors; it is JSON with and without --json."""
    from .jsonschema import machine_schema

    if out is None:
        _emit(machine_schema())
        return
    out.write_text(json.dumps(machine_schema(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    typer.echo(str(out))


def _user_folder() -> Path:
    config = os.environ.get("XDG_CONFIG_HOME")
    return (Path(config) if config else Path.home() / ".config") / "gpuport" / "hwmodels"


@app.command("probe")
@_one_line
def probe_machine(
    backend: Annotated[str, typer.Option(help="opencl, cuda or mlx.")] = "opencl",
    device: Annotated[int, typer.Option(help="Number of the device.")] = 0,
    extends: Annotated[str | None, typer.Option(help="Model that it is an instance of; default: by its name.")] = None,
    identifier: Annotated[str | None, typer.Option("--id", help="Id of the instance.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="File to write; default: the user's config folder.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the file instead of writing it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read and measure a device here, and write an instance file that extends its model."""
    from .errors import MachineError
    from .probe import contradictions, find_base, instance_text, probe, write_instance
    from .probe.readings import require_base

    console = _console(stderr=True)
    with console.status("probing") as status:

        def report(text: str) -> None:
            status.update(text)
            if not console.is_terminal:
                console.print(text)

        found = probe(backend, device, report)
    base = require_base(extends) if extends else find_base(found.name, found.hints)
    if base is None:
        raise MachineError(f"no model is known for {found.name!r}; name one with --extends (opencl-gpu knows nothing)")
    identifier = identifier or f"{base}-probed"
    text = instance_text(found, base, identifier)
    if dry_run:
        typer.echo(text, nl=False)
        return
    path = out or _user_folder() / f"{identifier}.toml"
    machine = write_instance(path, text)
    against = contradictions(machine)
    if as_json:
        from .show import machine_record

        record = {"file": str(path), "device": found.name, "extends": base, "corrections": list(found.corrections)}
        differs = [{"path": f.path, "probe": str(f), "model": was} for f, was in against]
        _emit({**record, "contradictions": differs, "machine": machine_record(machine)})
        return
    for fact in machine.facts().values():
        if fact.layer == "instance":
            typer.echo(f"{fact.path} = {fact}  [{fact.kind}]")
    for line in found.corrections:
        typer.echo(f"not believed: {line}")
    for fact, was in against:
        typer.echo(f"contradicts the model: {fact.path}: {fact} here, {was} there; both are kept")
    typer.echo(f"{found.name}: {path} extends {base}; use it as {machine.id!r}")
