"""`gpuport machines`: list, show, diff, lint, schema, probe. Each prints for people, or JSON with --json."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console
    from rich.table import Table

    from .compare import Change
    from .lint import Finding
    from .machine import Machine
    from .schema import Fact

app = typer.Typer(help="Machine models: what each device can do, with a source for every number.", no_args_is_help=True)

_WIDTH = 100
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _console(stderr: bool = False) -> Console:
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    # Pipes and files get the width that terminals are checked for; nothing is cut off.
    return Console(file=stream, width=None if stream.isatty() else _WIDTH, highlight=False, soft_wrap=False)


def _guarded[**P, R](command: Callable[P, R]) -> Callable[P, R]:
    return command


def _emit(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _cell(machine: Machine, path: str, show: Callable[[Fact], str] | None = None) -> str:
    from .show import mark

    if not machine.known(path):
        return ""
    fact = machine.fact(path)
    return (show(fact) if show else str(fact)) + mark(fact)


def _scaled(factor: float) -> Callable[[Fact], str]:
    def show(fact: Fact) -> str:
        value = fact.value
        return f"{value / factor:.4g}" if isinstance(value, int | float) else str(fact)

    return show
