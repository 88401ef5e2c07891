"""The corpus of defects: each file is a kernel with one defect if DEFECT is defined, and its clean twin if not.

The head of a file (`//! `) is TOML: what is wrong, the kind of finding, other kinds that the defect may cause, and the
kernel's sizes, arguments and launch. The defect is reported on the line that ends with `<- here`.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from gpuport.porting.check import NATURAL, CheckFinding, check
from gpuport.porting.spec import Kernel

HERE = Path(__file__).parent
FILES = sorted(p for language in ("cuda", "hip", "opencl", "metal") for p in (HERE / language).iterdir())
SECONDS = 1.5


def head(path: Path) -> dict[str, Any]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return tomllib.loads("\n".join(line[4:] for line in lines if line.startswith("//! ")))


def findings(path: Path, *, defect: bool) -> list[CheckFinding]:
    spec, language = head(path), path.parent.name
    kernel = Kernel(
        source=path.name, entry="k", folder=path.parent, language=language, defines={"DEFECT": "1"} if defect else {},
        sizes=spec["sizes"], args=spec["args"], launch=spec["launch"],
    )  # fmt: skip
    # a hang takes all the time that it is given; what ends has as much as it needs
    report = check(kernel, seed=7, time_limit=SECONDS if spec["kind"] == "hang" and defect else 60.0)
    assert report.machine.startswith(NATURAL[language])
    return list(report.findings)


def label(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def recorded(record_property: Any, path: Path, twin: str) -> None:
    for key, value in (("kind", head(path)["kind"]), ("language", path.parent.name), ("twin", twin)):
        record_property(key, value)


@pytest.mark.parametrize("path", FILES, ids=label)
def test_the_defect_is_found_where_it_is(path: Path, record_property: Any) -> None:
    recorded(record_property, path, "defect")
    spec, found = head(path), findings(path, defect=True)
    [line] = [i for i, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if text.endswith("<- here")]
    kind = spec["kind"]
    assert any(f.kind == kind and f.line == line for f in found), (line, found)
    assert {f.kind for f in found} <= {kind, *spec.get("also", ())}, found


@pytest.mark.parametrize("path", FILES, ids=label)
def test_the_clean_twin_raises_no_alarm(path: Path, record_property: Any) -> None:
    recorded(record_property, path, "clean")
    assert findings(path, defect=False) == []


def test_the_corpus_is_as_large_as_it_says() -> None:
    assert 2 * len(FILES) >= 80
    kinds = {head(p)["kind"] for p in FILES}
    assert kinds == {
        "out-of-bounds", "uninitialised", "race", "divergence", "misaligned", "read-only", "shuffle", "arithmetic",
        "unwritten", "hang", "limit",
    }  # fmt: skip
    for language in ("cuda", "hip", "opencl", "metal"):
        own = {head(p)["kind"] for p in FILES if p.parent.name == language}
        assert own >= {"out-of-bounds", "uninitialised", "race", "divergence", "shuffle", "arithmetic"} - (
            {"shuffle"} if language == "opencl" else set()
        )
