from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from gpuport.hwmodels.fields import FIELDS, VOCABULARY
from gpuport.hwmodels.files import BUILTIN, model_paths
from gpuport.hwmodels.jsonschema import machine_schema

FIXTURES = Path(__file__).parent / "fixtures"


def test_every_field_is_in_the_schema() -> None:
    schema = machine_schema()
    for field in FIELDS:
        node = schema
        for segment in field.path.split("."):
            if segment in VOCABULARY:
                node = next(v for k, v in node["patternProperties"].items() if VOCABULARY[segment][0] in k)
            else:
                node = node["properties"][segment]
        assert field.label in node["description"]
    assert len(json.dumps(schema)) < 100_000


@pytest.mark.parametrize("path", [*model_paths(BUILTIN), *sorted(FIXTURES.glob("*.toml"))], ids=lambda p: p.stem)
def test_files_validate(path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="the test extra jsonschema is not installed")
    jsonschema.Draft202012Validator(machine_schema()).validate(tomllib.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "body",
    [
        "[memory]\nbandwidth = 120",
        "[memory]\nbandwith = { v = '1 GB/s', src = 'drv' }",
        "[memory]\nbandwidth = { v = 120, src = 'drv' }",
        "[numerics]\nsubnormals_f32 = { v = 'maybe', src = 'drv' }",
        "[rates]\nvector.f99 = { v = '1 Top/s', src = 'drv' }",
        "[features]\nfp64 = { v = 'yes', src = 'drv' }",
    ],
)
def test_bad_files_do_not_validate(body: str) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="the test extra jsonschema is not installed")
    document = tomllib.loads(f"schema = 'machine/1'\nid = 'x'\nname = 'x'\n{body}\n")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(machine_schema()).validate(document)
