from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from gpuport.hwmodels.commands import app
from typer.testing import CliRunner

FIXTURES = Path(__file__).parent / "fixtures"


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == code, result.output
    return result.output


def test_list_is_a_table_of_all_devices_in_100_columns() -> None:
    out = run("list")
    assert max(len(line) for line in out.splitlines()) <= 100
    assert int(re.findall(r"(\d+) devices", out)[0]) >= 38
    row = next(line for line in out.splitlines() if line.startswith("h100-sxm"))
    assert row.split()[1:] == ["sm_90", "132", "SM", "32", "227", "66.9", "989.4", "3350", "80", "GB"]
    assert next(line for line in out.splitlines() if line.startswith("cpu")).split() == ["cpu", "pocl", "1", "1024"]


def test_list_json() -> None:
    listed = json.loads(run("list", "--json"))
    assert len(listed) >= 38
    h100 = next(entry for entry in listed if entry["id"] == "h100-sxm")
    assert h100["memory.bandwidth"] == 3_350_000_000_000
    assert "h100" in h100["aliases"]


def test_list_architectures() -> None:
    assert "sm_90" in run("list", "--arch")


def test_show_marks_the_unverified_and_prints_conflicts() -> None:
    out = run("show", "h200")
    assert "60 MiB" in out
    assert "conflict: 50 MiB" in re.sub(r"\s+", " ", out)
    assert "32 banks°" in out
    assert "driver: h200probe" in out
    assert max(len(line) for line in out.splitlines()) <= 100


def test_show_json_gives_the_drivers_l2_and_the_sheets_conflict() -> None:
    fact = json.loads(run("show", "h200", "--json"))["facts"]["cache.l2.size"]
    assert (fact["value"], fact["unit"], fact["kind"], fact["source"]) == (62_914_560, "B", "driver", ["h200probe"])
    assert [(c["shown"], c["source"]) for c in fact["conflicts"]] == [("50 MiB", "sess")]


def test_diff() -> None:
    out = run("diff", "h100", "m4")
    assert out.index("What breaks") < out.index("What no longer fits") < out.index("Speed")
    assert "227 KiB [cccl]" in out
    assert "307 times less" in out
    record = json.loads(run("diff", "h100", "m4", "--json"))
    assert record["changes"][0]["tier"] == "breaks"
    shared = next(c for c in record["changes"] if c["path"] == "shared.per_group_optin")
    assert shared["facts"]["destination"]["source"] == ["mfst"]


def test_lint_passes_on_what_ships_and_fails_on_each_fixture() -> None:
    assert "0 contradictions" in run("lint")
    for path in sorted(FIXTURES.glob("*.toml")):
        assert "error: " in run("lint", str(path), code=1)


def test_lint_json() -> None:
    record = json.loads(run("lint", str(FIXTURES / "torchao-b200.toml"), "--json", code=1))
    assert (record["files"], record["errors"]) == (1, 1)
    assert record["findings"][0]["paths"] == ["memory.bandwidth"]


def test_schema(tmp_path: Path) -> None:
    schema = json.loads(run("schema"))
    assert schema["title"] == "gpuport machine model"
    run("schema", "--out", str(tmp_path / "s.json"))
    assert json.loads((tmp_path / "s.json").read_text()) == schema


@pytest.mark.parametrize("arguments", [("show", "gtx480"), ("diff", "h100", "m9"), ("probe", "--backend", "vulkan")])
def test_errors_are_one_line_with_exit_code_2(arguments: tuple[str, ...]) -> None:
    out = run(*arguments, code=2)
    assert out.startswith("error: ")
    assert len(out.strip().splitlines()) == 1


def test_wrong_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text('schema = "machine/1"\nid = "x"\nname = "x"\nextends = "m4"\n[memory]\nsize = 8\n')
    out = run("show", str(tmp_path / "x.toml"), code=2)
    assert "x.toml: memory.size: bare number 8" in out
