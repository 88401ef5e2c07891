from __future__ import annotations

import re
from pathlib import Path

import gpuport.hwmodels as package
import pytest
from gpuport.hwmodels import MachineError, load_machine
from gpuport.hwmodels.document import fill
from gpuport.hwmodels.lint import lint_machine

DOCUMENT = Path(package.__file__).parents[1] / "docs" / "machines.md"


def test_tables_are_up_to_date() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert fill(text) == text, "run: python -m gpuport.hwmodels.document docs/machines.md"


def test_example_is_a_model(tmp_path: Path) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for number, block in enumerate(blocks):
        path = tmp_path / f"{number}.toml"
        path.write_text(block)
        machine = load_machine(path)
        assert len(block.strip().splitlines()) <= 15
        assert machine.value("memory.bandwidth") == 120_000_000_000
        assert {f.rule for f in lint_machine(machine)} <= {"missing"}


def test_document_without_a_table_is_an_error() -> None:
    with pytest.raises(MachineError, match="devices"):
        fill("no table here")
