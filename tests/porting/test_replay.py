"""A report alone is enough to repeat its run; what does not come out again is said."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest
from gpuport import Kernel, port
from gpuport.hwmodels import Machine
from gpuport.porting.bundle import fingerprint, spec_data, unpack
from gpuport.porting.candidate import Candidate, SourceProgram
from gpuport.porting.port import port as port_with
from gpuport.porting.replay import replay
from gpuport.porting.report import PortReport, ReportError, load_report
from gpuport.porting.translate import translate

SOURCE = """#include "factor.h"
#include "missing/from/here.h"
__global__ void k(const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = FACTOR * x[i];
}
"""
SPEC = """
[kernel]
source = "src/k.cu"
entry = "k"
include_dirs = ["../include"]
[sizes]
n = [70, 1]
[args]
x = { dtype = "f32", shape = ["n"], role = "in" }
y = { dtype = "f32", shape = ["n"], role = "out" }
n = { dtype = "i32", value = "n" }
[launch]
grid = ["cdiv(n, 32)"]
block = [32]
[reference]
python = "k_ref:twice"
compare = { y = "float" }
[verify]
generate = ["n"]
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    """A report of a kernel whose own files are gone."""
    home = tmp_path_factory.mktemp("home")
    for name, text in {
        "project/src/k.cu": SOURCE.replace('#include "missing/from/here.h"\n', ""),
        "include/factor.h": "#define FACTOR 2.0f\n",
        "project/k.kernel.toml": SPEC,
        "project/k_ref.py": "import numbers_\n\ndef twice(inputs):\n    return numbers_.TWO * inputs['x']\n",
        "project/numbers_.py": "import math\n\nTWO = math.sqrt(4)\n",
        "project/unrelated.py": "raise SystemExit\n",
    }.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    report = port(home / "project/k.kernel.toml", "h100", "m4")
    assert report.verified, report.reason
    report.write(home / "out")
    shutil.rmtree(home / "project")
    shutil.rmtree(home / "include")
    return home / "out"


def test_the_report_holds_the_files_of_the_kernel_and_no_others(written):
    record = load_report(written).replay
    assert record is not None
    assert set(record.files) == {"project/src/k.cu", "include/factor.h", "project/k_ref.py", "project/numbers_.py"}
    assert record.folder == "project"


def test_a_run_comes_out_again(written):
    report = load_report(written)
    found = replay(report)
    assert found.agrees, found.differing
    assert len(found.rows) == len(report.gates)
    assert (found.notes, found.skipped) == ((), {})
    only = replay(report, gate="values")
    assert {r.gate for r in only.rows} == {"values"}


def altered(report: PortReport, **changes: object) -> PortReport:
    assert report.replay is not None
    return report.model_copy(update={"replay": report.replay.model_copy(update=changes)})


def test_another_port_does_not_agree(written):
    report = load_report(written)
    assert report.replay is not None
    candidate = dict(report.replay.candidate)
    candidate["source"] = candidate["source"].replace("FACTOR *", "1.9f *").replace("2.0f *", "1.9f *")
    assert candidate != report.replay.candidate
    found = replay(altered(report, candidate=candidate))
    assert not found.agrees
    changed = {(r.then, r.now) for r in found.differing if r.gate == "values"}
    # of the largest number, doubled, nothing was said
    assert {("tested", "refuted")} <= changed <= {("tested", "refuted"), ("unknown", "refuted")}


def test_another_machine_model_is_noted(written):
    report = load_report(written)
    assert report.replay is not None
    machines = {**report.replay.machines, "m4": "0"}
    changed = {i for i in machines if i.startswith("m4")}
    found = replay(
        altered(report, machines={i: "0" if i in changed else v for i, v in machines.items()}), gate="values"
    )
    assert [n for n in found.notes if "is not the one of the report" in n]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"files": {"../escape.py": ""}}, "lies outside of the report"),
        ({"files": {"/etc/escape.py": ""}}, "lies outside of the report"),
        ({"folder": "../up"}, "lies outside of the report"),
        ({"missing": "it was not to be"}, "cannot be replayed: it was not to be"),
        ({"spec": {}}, "cannot be used"),
    ],
)
def test_a_report_that_holds_no_run_is_an_error(written, changes, said):
    with pytest.raises(ReportError, match=said):
        replay(altered(load_report(written), **changes))


def test_an_unknown_gate_is_an_error(written):
    with pytest.raises(ReportError, match="the report has no gate 'algebr'; it has accuracy, algebra, "):
        replay(load_report(written), gate="algebr")


def test_a_reference_in_no_file_cannot_be_kept(tmp_path):
    (tmp_path / "k.cu").write_text("__global__ void k(float* y) { y[threadIdx.x] = 1.0f; }")
    kernel = Kernel(
        source="k.cu", entry="k", args={"y": {"dtype": "f32", "shape": [32], "role": "out"}}, folder=tmp_path,
        launch={"grid": [1], "block": [32]}, reference=lambda inputs: {"y": [1.0] * 32},
    )  # fmt: skip
    report = port(kernel, "h100", "m4")
    assert report.replay is not None
    assert report.replay.missing == "reference.python is a Python function that is in no file of the spec"


def test_a_spec_survives_its_record(written, tmp_path):
    record = load_report(written).replay
    assert record is not None
    kernel, text = unpack(record, tmp_path)
    assert spec_data(kernel) == record.spec
    assert text.entry == "k"
    assert kernel.source.read_text().startswith("#include")


def test_a_fingerprint_is_of_the_facts():
    from gpuport.hwmodels import load_machine

    assert fingerprint(load_machine("m4")) == fingerprint(load_machine("m4"))
    assert fingerprint(load_machine("m4")) != fingerprint(load_machine("h100"))


def test_a_counterexample_comes_out_again_from_its_file_alone(tmp_path, monkeypatch):
    """A refuted port: the report's JSON and nothing else, in an empty folder, gives the same refutation."""
    (tmp_path / "home").mkdir()
    for name, text in {"k.cu": SOURCE.replace('#include "missing/from/here.h"\n', ""), "factor.h": "#define FACTOR 2.0f\n",
                       "k.kernel.toml": SPEC.replace("src/", "").replace("../include", ".").split("[reference]")[0]}.items():  # fmt: skip
        (tmp_path / "home" / name).write_text(text)

    def wrong(source: SourceProgram, src: Machine, dst: Machine) -> list[Candidate]:
        [right] = translate(source, src, dst)
        text = dataclasses.replace(right.text, source=right.text.source.replace("< n", "< n - 1"))
        return [dataclasses.replace(right, text=text)]

    report = port_with(tmp_path / "home" / "k.kernel.toml", "h100", "m4", synthesizers=[wrong])
    assert report.verdict == "REFUTED"
    report.write(tmp_path / "out")
    (tmp_path / "empty").mkdir()
    shutil.move(tmp_path / "out" / "report.json", tmp_path / "empty" / "report.json")
    shutil.rmtree(tmp_path / "home")
    shutil.rmtree(tmp_path / "out")
    monkeypatch.chdir(tmp_path / "empty")
    found = replay(load_report("report.json"))
    assert found.agrees, found.differing
    assert ("outputs written", "refuted") in {(r.gate, r.now) for r in found.rows}
