from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(autouse=True)
def no_user_models(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The models of whoever runs the tests stay out of them."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
    monkeypatch.delenv("GPUPORT_HWMODELS", raising=False)


@pytest.fixture
def model(tmp_path: Path) -> Callable[..., Path]:
    """Write a model file: header lines and tables in, its path out."""

    def write(body: str, name: str = "mine", header: str = 'name = "Mine"\nextends = "h200"') -> Path:
        path = tmp_path / f"{name}.toml"
        path.write_text(f'schema = "machine/1"\nid = "{name}"\n{header}\n\n{body}\n')
        return path

    return write
