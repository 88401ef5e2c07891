"""The helper functions that a text needs: collected while printing, rendered from templates at its top."""

from __future__ import annotations

from typing import Any

from ...templates import render


class Helpers:
    """Helpers by name, in the order of first use. A helper is a template and its context; `base` is common to all."""

    def __init__(self, **base: Any) -> None:
        self._base = base
        self._wanted: dict[str, tuple[str, dict[str, Any]]] = {}
        self.extensions: dict[str, None] = {}

    def need(self, name: str, template: str, **context: Any) -> str:
        """Ask for the helper `name`, defined by `template`; returns the name."""
        self._wanted.setdefault(name, (template, context))
        return name

    def extension(self, *names: str) -> None:
        """Ask for language extensions by name."""
        self.extensions.update(dict.fromkeys(names))

    @property
    def names(self) -> frozenset[str]:
        """The names asked for so far."""
        return frozenset(self._wanted)

    def texts(self) -> list[str]:
        """The rendered helpers, in the order of first use."""
        return [
            render(template, name=name, **{**self._base, **context}).strip()
            for name, (template, context) in self._wanted.items()
        ]
