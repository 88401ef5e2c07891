"""Jinja templates as package data, and the one way to render them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

ROOT = Path(__file__).parent


def fact(machine: Any, path: str, unknown: str = "unknown") -> str:
    """The fact of a machine model for people, e.g. "48 KiB"; `unknown` where the model has none."""
    return str(machine.fact(path)) if machine.known(path) else unknown


@cache
def environment() -> Environment:
    """The Jinja environment: missing names are errors, machine facts are filters.

    `machine | fact("shared.per_group")` is the value for people; `value unit mark show cite` of `hwmodels.show` take a
    fact.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from ..hwmodels.show import FILTERS

    env = Environment(
        loader=FileSystemLoader(ROOT),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    filters: dict[str, Any] = {**FILTERS, "fact": fact}
    env.filters.update(filters)
    return env


def render(template: str, /, **context: Any) -> str:
    """Render the template at this path, relative to the templates folder; a name it lacks raises UndefinedError."""
    return environment().get_template(template).render(**context)
