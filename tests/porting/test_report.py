"""The report's schema, pages and files."""

from __future__ import annotations

import json
import math
import os
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from gpuport.hwmodels import load_machine
from gpuport.ir.diagnostics import Diagnostic, Severity
from gpuport.ir.nodes import Loc
from gpuport.porting.report import (
    DecisionRecord,
    DiagnosticRecord,
    Environment,
    FactRecord,
    Floor,
    GateRecord,
    KernelRecord,
    MachineRecord,
    PortReport,
    ReportError,
    SourceText,
    Timing,
    WorstElement,
    load_report,
    write_index,
    write_report,
)
from gpuport.porting.report.code import lines, side_by_side, to_html
from gpuport.porting.report.render import render_html, render_markdown
from gpuport.porting.report.view import cell, fence, share, tick
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

CUDA = """// scale
__global__ void scale(const float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = 2.0f * x[i];
}
"""
OPENCL = """// scale
__kernel void scale(__global const float* x, __global float* y, int n) {
    int i = (int)(get_group_id(0) * get_local_size(0) + get_local_id(0));
    if (i < n) y[i] = 2.0f * x[i];
}
"""
EVIL = 'x</script><b>"bold" & <!-- \'</b><img src=http://e.test/p.png>'


def make(**changes: Any) -> PortReport:
    m4 = load_machine("m4")
    size = {"n": 1000}
    worst = WorstElement(buffer="y", index=(3,), got=1.0, expected=1.0 + 2**-20, bound=2.0**-18)
    values: dict[str, Any] = {
        "kernel": KernelRecord(name="scale", entry="scale<float>", file="k/scale.cu", spec="k/scale.kernel.toml"),
        "src": MachineRecord.of(load_machine("h100")),
        "dst": MachineRecord.of(m4),
        "verdict": "VERIFIED (emulated)",
        "decisions": (
            DecisionRecord(
                what="BLOCK stays 256",
                why="within the limit",
                facts=(FactRecord.of("m4", m4.fact("limits.threads_per_group")),),
                line=2,
            ),
        ),
        "diagnostics": (
            DiagnosticRecord.of(Diagnostic("GP3001", "subnormals differ", Loc("k/scale.cu", 4), Severity.WARNING)),
        ),
        "gates": (
            GateRecord(gate="compiles", verdict="tested", seconds=0.25),
            GateRecord(gate="values", verdict="tested", size=size, inputs="normal", worst=worst, seconds=0.5),
            GateRecord(gate="values", verdict="unknown", size={"n": 0}, detail="nothing to compare"),
        ),
        "sizes": (size, {"n": 0}),
        "seeds": ("ff00",),
        "environment": Environment(gpuport="0.1.0", python="3.11.7", packages={"numpy": "2.4.1"}),
        "original": SourceText(name="scale.cu", language="cuda", text=CUDA),
        "ported": SourceText(name="scale.cl", language="opencl", text=OPENCL),
        "wrapper": SourceText(name="scale.py", language="python", text="import numpy\n"),
        "floor": Floor(size=size, seconds=6.6e-8, basis="8 kB at the memory's bandwidth"),
        "stages": {"read": 0.125, "gates": 1.5},
        "created": datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        "rerun": "gpuport port k/scale.cu --src h100 --dst m4",
    }
    return PortReport(**{**values, **changes})


MEASURED = Timing(size={"n": 1000}, device="PoCL", samples=(2e-3, 1e-3, 3e-3, 4e-3), method="events")


class Page(HTMLParser):
    """Tags, attributes and text of a page; fails on a tag that is not closed in its place."""

    VOID = frozenset(("meta", "col", "br", "line", "img", "link", "input"))

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(k, v or "") for k, v in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(k, v or "") for k, v in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


VARIANTS: dict[str, dict[str, Any]] = {
    "emulated": {},
    "device": {"verdict": "VERIFIED (device)", "measured": MEASURED},
    "one sample": {"measured": Timing(size={}, device="d", samples=(1e-3,))},
    "refuted": {"verdict": "REFUTED", "gates": (GateRecord(gate="values", verdict="refuted", detail="row 3"),)},
    "refused": {"verdict": "REFUSED", "ported": None, "wrapper": None, "gates": (), "floor": None, "decisions": ()},
    "bare": {"gates": (), "diagnostics": (), "sizes": (), "seeds": (), "stages": {}, "rerun": "", "floor": None},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_json_round_trip(variant: str):
    report = make(**VARIANTS[variant])
    assert PortReport.model_validate_json(report.model_dump_json()) == report
    json.loads(report.model_dump_json(), parse_constant=pytest.fail)


def test_numbers_that_json_lacks_survive():
    worst = WorstElement(buffer="y", got=math.nan, expected=-math.inf, bound=math.inf)
    text = make(gates=(GateRecord(gate="values", verdict="refuted", worst=worst),)).model_dump_json()
    json.loads(text, parse_constant=pytest.fail)
    back = PortReport.model_validate_json(text).gates[0].worst
    assert back is not None
    assert math.isnan(back.got)
    assert (back.expected, back.bound) == (-math.inf, math.inf)


def test_unlimited_fact_survives():
    fact = next(f for n in ("cpu", "m4", "h100") for f in load_machine(n).facts().values() if f.value == math.inf)
    record = FactRecord.of("m", fact)
    assert record.raw == "unlimited"
    assert FactRecord.model_validate_json(record.model_dump_json()) == record


@pytest.mark.parametrize(
    ("got", "expected", "bound", "result"),
    [(1.0, 1.5, 1.0, 0.5), (1.0, 1.0, 0.0, 0.0), (1.0, 2.0, 0.0, math.inf), (math.nan, 1.0, 1.0, math.inf),
     (math.nan, math.nan, 0.0, 0.0), (math.inf, math.inf, 0.0, 0.0), (math.inf, 1.0, 1.0, math.inf)],
)  # fmt: skip
def test_share_of_the_bound(got: float, expected: float, bound: float, result: float):
    assert WorstElement(buffer="y", got=got, expected=expected, bound=bound).share == result


def test_schema_refuses_what_it_does_not_know():
    with pytest.raises(ValidationError, match="extra"):
        make(colour="red")
    with pytest.raises(ValidationError, match="verdict"):
        make(verdict="VERIFIED")
    with pytest.raises(ValidationError, match="samples"):
        Timing(size={}, device="d", samples=())


def test_timing_summary():
    assert MEASURED.median == pytest.approx(2.5e-3)
    assert MEASURED.quartiles == pytest.approx((1.75e-3, 3.25e-3))


def test_worst_gate_is_the_one_nearest_to_its_bound():
    worst = make().worst
    assert worst is not None
    assert worst.size == {"n": 1000}
    assert make(gates=()).worst is None


@pytest.mark.parametrize("variant", VARIANTS)
def test_html_is_well_formed_and_fetches_nothing(variant: str):
    text = render_html(make(**VARIANTS[variant]))
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "object", "base"} & set(page.tags)
    fetching = {"src", "srcset", "href", "data", "action", "poster", "background"}
    assert not [a for a in page.attributes if a[0] in fetching]
    assert not re.search(r"url\(|@import|@font-face", text)
    assert "default-src 'none'" in text


@pytest.mark.parametrize(
    "place", ["original", "ported", "wrapper", "message", "decision", "detail", "fact", "rerun", "file"]
)
def test_text_from_outside_is_escaped(place: str):
    m = MachineRecord(
        id="m", name=EVIL, facts=(FactRecord(machine="m", path="p", label=EVIL, value=EVIL, source=EVIL),)
    )
    changes: dict[str, Any] = {
        "original": {"original": SourceText(name="scale.cu", language="cuda", text=f"// {EVIL}\nint x; {EVIL}\n")},
        "ported": {"ported": SourceText(name="scale.cl", language="opencl", text=f'"{EVIL}" {EVIL}')},
        "wrapper": {"wrapper": SourceText(name="scale.py", language="python", text=EVIL)},
        "message": {
            "diagnostics": (DiagnosticRecord(number=EVIL, severity="error", message=EVIL, file="scale.cu", line=1),)
        },
        "decision": {"decisions": (DecisionRecord(what=EVIL, why=EVIL, line=1),)},
        "detail": {"gates": (GateRecord(gate=EVIL, verdict="refuted", size={EVIL: 1}, detail=EVIL, inputs=EVIL),)},
        "fact": {"dst": m},
        "rerun": {"rerun": EVIL, "reason": EVIL},
        "file": {"kernel": KernelRecord(name=EVIL, entry=EVIL, file=EVIL), "seeds": (EVIL,)},
    }[place]
    plain, page = Page(render_html(make())), Page(render_html(make(**changes)))
    assert not {"script", "img"} & set(page.tags)
    assert not [v for k, v in page.attributes if k == "src"]
    assert EVIL in "".join(page.text)
    assert EVIL not in "".join(plain.text)


def test_html_shows_what_the_verdict_rests_on():
    text = "".join(Page(render_html(make())).text)
    assert "No Apple M4 was used." in text
    assert "within the limit" in text
    assert "1024 threads" in text
    assert "GP3001" in text
    assert "Nothing was measured." in text
    assert "predicted" in text
    assert "25 % of its bound" in text
    assert "gpuport port k/scale.cu --src h100 --dst m4" in text


def test_measured_and_predicted_are_told_apart():
    text = render_html(make(verdict="VERIFIED (device)", measured=MEASURED))
    assert re.search(r"2\.5 ms</span> <span class=\"pill plain\">measured", text)
    assert re.search(r"66 ns</span> <span class=\"pill open\">predicted", text)
    assert "measured" not in re.sub(r"Nothing was measured|<style>.*?</style>", "", render_html(make()), flags=re.S)


def test_diagnostic_stands_under_its_line():
    text = render_html(make())
    table = text[text.index('<table class="code"') :]
    assert table.index("2.0f") < table.index("subnormals differ") < table.index(">5</td>")
    elsewhere = DiagnosticRecord(number="GP3001", severity="note", message="in a header", file="other.h", line=4)
    text = render_html(make(diagnostics=(elsewhere,)))
    assert "in a header" in text[: text.index('<table class="code"')]
    assert "in a header" not in text[text.index('<table class="code"') :]


def test_coloured_line():
    (line,) = lines('__shared__ float4 s; // "a"', "cuda")
    assert to_html(line) == (
        '<span class="k">__shared__</span> <span class="t">float4</span> s; <span class="c">// &quot;a&quot;</span>'
    )


@settings(max_examples=60, deadline=None)
@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\f\v\x1c\x1d\x1e\x85\u2028\u2029")),
    st.sampled_from(["cuda", "metal", "python", "none"]),
)
def test_colouring_loses_no_character(text: str, language: str):
    found = lines(text, language)
    assert [n.number for n in found] == list(range(1, len(found) + 1))
    expected = text.split("\n")
    while expected and not expected[-1].strip():
        expected.pop()
    assert [n.text for n in found] == expected


def test_sources_are_paired_by_likeness():
    rows = side_by_side(lines(CUDA, "cuda"), lines("#define A 1\n" + OPENCL, "opencl"))
    assert [r.kind for r in rows] == ["added", "same", "changed", "changed", "same", "same"]
    assert '<span class="g x">get_group_id</span>' in rows[3].right_html


@settings(max_examples=60, deadline=None)
@given(*[st.lists(st.sampled_from(["a b c", "a b d", "x = y;", "", "}", "  }"]), max_size=12)] * 2)
def test_pairing_keeps_every_line_once_and_in_order(left: list[str], right: list[str]):
    a, b = lines("\n".join(left), "none"), lines("\n".join(right), "none")
    rows = side_by_side(a, b)
    assert [r.left for r in rows if r.left] == a
    assert [r.right for r in rows if r.right] == b


def test_markdown():
    text = render_markdown(make(verdict="VERIFIED (device)", measured=MEASURED))
    assert text.startswith("# scale: NVIDIA H100 80GB HBM3 to Apple M4\n\n**VERIFIED (device).**")
    assert "| entry | `scale<float>` |\n" in text
    assert "| GP3001 | warning | `k/scale.cu:4` | subnormals differ |\n" in text
    assert "| values | unknown | 1 tested, 1 unknown | 25 % of its bound | 500 ms |\n" in text
    assert "| least time, predicted | 66 ns:" in text
    assert f"```c\n{OPENCL}```\n" in text
    assert "\n\n\n" not in text


def test_markdown_cells_hold_their_text():
    assert cell("a|b\nc <i> __x__ a_b") == "a\\|b c &lt;i> \\__x_\\_ a_b"
    assert tick("a`b|c") == "`` a`b\\|c ``"
    assert fence("````") == "`````"


def test_share_for_people():
    assert [share(v) for v in (0.0, 1e-7, 0.0123, 0.5, 1.0, 2.0, math.inf)] == [
        "none", "under 0.01 % of its bound", "1.2 % of its bound", "50 % of its bound", "100 % of its bound",
        "2 × its bound", "far over its bound",
    ]  # fmt: skip


def test_write_and_load(tmp_path: Path):
    report = make()
    paths = report.write(tmp_path / "deep" / "m4")
    assert [p.name for p in paths] == ["scale.cl", "scale.py", "report.json", "report.md", "report.html"]
    assert sorted(os.listdir(tmp_path / "deep" / "m4")) == sorted(p.name for p in paths)
    assert paths[0].read_text() == OPENCL
    assert load_report(tmp_path / "deep" / "m4") == report == load_report(paths[2])


@pytest.mark.parametrize(("verdict", "kept"), [("REFUSED", set[str]()), ("REFUTED", {"scale.refuted.cl"})])
def test_a_port_that_is_no_good_leaves_no_kernel_to_use(tmp_path: Path, verdict: Any, kept: set[str]):
    (tmp_path / "mine.txt").write_text("stays")
    make().write(tmp_path)
    make(verdict=verdict).write(tmp_path)
    assert set(os.listdir(tmp_path)) == {"mine.txt", "report.json", "report.md", "report.html"} | kept


@pytest.mark.parametrize("where", ["render", "disk", "rename"])
def test_a_failure_in_the_middle_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str):
    def fail(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device")

    if where == "render":
        monkeypatch.setattr("gpuport.porting.report.write.render_html", fail)
    elif where == "disk":
        real = Path.write_text
        monkeypatch.setattr(
            Path, "write_text", lambda p, *a, **k: (fail if p.name == "report.md" else real)(p, *a, **k)
        )
    else:
        monkeypatch.setattr(os, "replace", fail)
    with pytest.raises((ReportError, OSError), match="No space left"):
        write_report(make(), tmp_path / "deep" / "m4")
    assert os.listdir(tmp_path) == []


def test_a_failed_write_keeps_the_report_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    first = make()
    first.write(tmp_path)
    real = Path.write_text

    def fail(path: Path, *args: Any, **kwargs: Any) -> int:
        if path.name == "report.html":
            raise OSError(28, "No space left on device")
        return real(path, *args, **kwargs)

    monkeypatch.setattr(Path, "write_text", fail)
    with pytest.raises(ReportError, match=r"No space left"):
        make(verdict="REFUSED").write(tmp_path)
    assert load_report(tmp_path) == first
    assert sorted(os.listdir(tmp_path)) == ["report.html", "report.json", "report.md", "scale.cl", "scale.py"]


@pytest.mark.parametrize("fails_at", range(8))
def test_a_move_that_fails_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int):
    first = make()
    first.write(tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    real, calls = os.replace, iter(range(100))

    def fail(*args: Any) -> None:
        if next(calls) == fails_at:
            raise OSError(5, "Input/output error")
        real(*args)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(ReportError, match="Input/output error"):
        make(verdict="REFUSED", reason="other").write(tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_file_names_cannot_leave_the_directory(tmp_path: Path):
    with pytest.raises(ReportError, match="no plain file name"):
        make(ported=SourceText(name="../x.cl", language="opencl", text="")).write(tmp_path / "a")
    assert os.listdir(tmp_path) == []


def test_index(tmp_path: Path):
    cpu = make(dst=MachineRecord.of(load_machine("cpu")), verdict="VERIFIED (device)", measured=MEASURED)
    reports = [make(), cpu, make(dst=MachineRecord.of(load_machine("mi300x")), verdict="REFUSED", reason=EVIL)]
    html, data = write_index(reports, tmp_path)
    page = Page(html.read_text())
    assert [v for k, v in page.attributes if k == "href" and v.endswith(".html")] == [
        "m4/report.html", "cpu/report.html", "mi300x/report.html",
    ]  # fmt: skip
    assert EVIL in "".join(page.text)
    assert "mi300x/scale.cl" not in [v for _, v in page.attributes]
    entries = json.loads(data.read_text())["reports"]
    assert [(e["dst"], e["verdict"], e["median_seconds"]) for e in entries] == [
        ("m4", "VERIFIED (emulated)", None), ("cpu", "VERIFIED (device)", 2.5e-3), ("mi300x", "REFUSED", None),
    ]  # fmt: skip


def test_index_over_several_kernels_puts_each_in_its_folder(tmp_path: Path):
    other = make(kernel=KernelRecord(name="axpy", entry="axpy"))
    _, data = write_index([make(), other], tmp_path)
    assert [e["report"] for e in json.loads(data.read_text())["reports"]] == [
        "scale/m4/report.json",
        "axpy/m4/report.json",
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [(None, "No such file"), ("{", "not JSON"), ("[]", "schema_version: expected 1, found None"),
     ('{"schema_version": 2}', "schema_version: expected 1, found 2"),
     ('{"schema_version": 1}', "kernel: Field required")],
)  # fmt: skip
def test_a_report_that_cannot_be_read_is_one_line(tmp_path: Path, text: str | None, complaint: str):
    if text is not None:
        (tmp_path / "report.json").write_text(text)
    with pytest.raises(ReportError, match=re.escape(complaint)) as caught:
        load_report(tmp_path / "report.json")
    assert "\n" not in str(caught.value)
    assert "report.json" in str(caught.value)
