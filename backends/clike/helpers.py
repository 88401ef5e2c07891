"""The helper functions that a text needs: collected while printing, rendered from templates at its top."""

from __future__ import annotations

from typing import Any

from ...templates import render


class Helpers:
    """Helpers by key, in the order of first use. A helper is a template and its context; `base` is common to all."""

    def __init__(self, **base: Any) -> None:
        self._base = base
        self._wanted: dict[str, tuple[str, dict[str, Any]]] = {}
        self.extensions: dict[str, None] = {}

    def need(self, key: str, template: str, **context: Any) -> None:
        """Ask for a helper, defined by `template`, once for each key."""
        self._wanted.setdefault(key, (template, context))

    def extension(self, *names: str) -> None:
        """Ask for language extensions by name."""
        self.extensions.update(dict.fromkeys(names))

    def texts(self) -> list[str]:
        """The rendered helpers, in the order of first use."""
        return [render(template, **{**self._base, **context}).strip() for template, context in self._wanted.values()]
