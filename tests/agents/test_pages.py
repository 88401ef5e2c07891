"""The tree of ideas in the report's pages, whatever models say."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser

from gpuport import load_machine
from gpuport.porting.report import (
    Environment,
    IdeaRecord,
    KernelRecord,
    MachineRecord,
    PortReport,
    SourceText,
    SwarmRecord,
)
from gpuport.porting.report.render import render_html, render_markdown
from gpuport.porting.report.view import idea_rows

EVIL = "</td></table><script>alert(1)</script><img src=x onerror=alert(1)>\"'|`[a](javascript:b)\n# head\n«{{ 7*7 }}»"


def report(*ideas: IdeaRecord, said: str = "the budget is spent") -> PortReport:
    return PortReport(
        kernel=KernelRecord(name="k", entry="k"), src=MachineRecord.of(load_machine("h100")),
        dst=MachineRecord.of(load_machine("m4")), verdict="VERIFIED (emulated)", author="model, candidate 2", ideas=ideas,
        environment=Environment(gpuport="0", python="3"), original=SourceText(name="k.cu", language="cuda", text="k"),
        created=datetime(2026, 1, 1, tzinfo=UTC),
        swarm=SwarmRecord(model=said, workers=2, stopped=said, candidates=4, requests=6, cached=1, input_tokens=1200,
                          output_tokens=340, cost=0.5, seconds=12.0),
    )  # fmt: skip


def idea(number: int, parent: int | None, verdict: str = "passed", **more: object) -> IdeaRecord:
    author = "translator" if number == 0 else "model"
    return IdeaRecord.model_validate({"number": number, "author": author, "verdict": verdict, "parent": parent, **more})


def test_the_tree_has_each_idea_once_below_the_one_that_its_author_saw() -> None:
    found = report(idea(0, None), idea(1, 0), idea(2, 0), idea(3, 1), idea(4, 9), idea(5, 5), idea(6, 2))
    assert [(i.number, d) for i, d in idea_rows(found)] == [(0, 0), (1, 1), (3, 2), (2, 1), (6, 2), (4, 0), (5, 0)]
    chain = report(*(idea(n, n - 1 if n else None) for n in range(3000)))
    assert len(idea_rows(chain)) == 3000


def test_each_idea_has_its_verdict_and_reason_in_both_pages() -> None:
    shown = report(
        idea(0, None, strategy="the deterministic translation", final="VERIFIED (emulated)"),
        idea(1, 0, "REFUTED", reason="values at n = 1", strategy="tiling", idea="larger tiles", explanation="an index"),
        idea(2, 1, reason="every gate passes", final="REFUTED", final_reason="values at n = 999", seconds=1.5e-5),
    )
    page, text = render_html(shown), render_markdown(shown)
    for said in ("values at n = 1", "tiling", "larger tiles", "an index", "values at n = 999", "1200 tokens", "15 µs"):
        assert said in page
        assert said in text
    [row] = re.findall(r'<tr class="chosen">.*?</tr>', page, re.DOTALL)
    assert "values at n = 999" in row
    assert '<span class="pill bad">REFUTED</span>' in row
    assert re.search(r"^    - \*\*2\*\* \(model\) \*\*REFUTED\*\*", text, re.MULTILINE)


def test_what_models_say_is_text_and_no_markup() -> None:
    evil = {
        "strategy": EVIL,
        "idea": EVIL,
        "reason": EVIL,
        "explanation": EVIL,
        "final": "REFUTED",
        "final_reason": EVIL,
    }
    shown = report(idea(0, None), idea(1, 0, EVIL, **evil), said=EVIL)
    tags: list[str] = []

    class Page(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append(tag)
            assert not [k for k, _ in attrs if k.startswith("on")]

    plain = report(idea(0, None), idea(1, 0, "x", **dict.fromkeys(evil, "x") | {"final": "REFUTED"}), said="x")
    Page().feed(render_html(plain))
    wanted, tags[:] = list(tags), []
    Page().feed(render_html(shown))
    assert tags == wanted
    assert "{{ 7*7 }}" in render_html(shown)
    text = render_markdown(shown)
    assert "<script" not in text
    assert "<img" not in text
    assert not re.search(r"^# head", text, re.MULTILINE)
    assert not re.search(r"(?<!\\)\[a", text)
