"""The pages of a report: Jinja over templates/reports."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import view
from .code import lines, to_html
from .schema import PortReport, verdict_class

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Environment

TEMPLATES = Path(__file__).parents[2] / "templates" / "reports"


def render_html(report: PortReport) -> str:
    """The whole report as one HTML file that fetches nothing."""
    return (
        _environment(True)
        .get_template("report.html.j2")
        .render(
            r=report,
            rows=view.code_rows(report),
            wrapper=[to_html(line) for line in lines(report.wrapper.text, report.wrapper.language)]
            if report.wrapper
            else [],
            groups=view.gate_groups(report),
            machines=view.machine_rows(report),
            counts=view.count_rows(report.counts),
            ideas=view.idea_rows(report),
        )
    )


def render_markdown(report: PortReport) -> str:
    """The report for a terminal or a code host."""
    return (
        _environment(False)
        .get_template("report.md.j2")
        .render(
            r=report,
            groups=view.gate_groups(report),
            machines=view.machine_rows(report),
            counts=view.count_rows(report.counts),
            ideas=view.idea_rows(report),
        )
    )


def render_index(entries: Sequence[tuple[PortReport, str]]) -> str:
    """A table of several reports; each with the relative folder that holds its pages."""
    return _environment(True).get_template("index.html.j2").render(entries=entries)


@cache
def _environment(escape: bool) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    env.filters.update(
        seconds=view.seconds,
        resources=view.resources_text,
        share=view.share,
        size=view.size_text,
        number=view.number,
        cell=view.cell,
        tick=view.tick,
        tone=verdict_class,
        idea_tone=view.idea_tone,
    )
    functions: dict[str, Any] = {
        "meaning": view.meaning,
        "is_decision": view.is_decision,
        "count": view.count,
        "fence": view.fence,
    }
    env.globals.update(functions)
    return env
