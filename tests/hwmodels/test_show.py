from __future__ import annotations

import json

import pytest
from gpuport.hwmodels import load_machine
from gpuport.hwmodels.show import FILTERS, machine_record, mark, show, unit, value


def test_value_unit_mark() -> None:
    machine = load_machine("m4")
    facts = machine.facts()
    assert (value(facts["shared.per_group"]), unit(facts["shared.per_group"])) == ("32 KiB", "B")
    assert mark(facts["shared.per_group"]) == ""
    assert mark(facts["clock.boost"]) == "°"
    assert mark(facts["cache.l2.size"]) == "?"
    assert show(facts["memory.bandwidth"]) == "120 GB/s [applenews]"
    assert show(facts["clock.boost"]) == "1578 MHz° [hmc]"
    assert show(facts["cache.l2.size"]) == "unknown"


def test_filters_work_in_a_template() -> None:
    jinja2 = pytest.importorskip("jinja2")
    environment = jinja2.Environment()
    environment.filters.update(FILTERS)
    template = environment.from_string("{{ m.fact('shared.per_group') | cite }}; {{ m.fact('clock.boost') | show }}")
    text = template.render(m=load_machine("m4"))
    assert text.startswith("32 KiB shared memory per group (Apple Metal Feature Set Tables")
    assert text.endswith("; 1578 MHz° [hmc]")


@pytest.mark.parametrize(
    ("name", "path", "start"),
    [
        ("h100", "shared.per_group", "48 KiB shared memory per group ("),
        ("h100", "limits.threads_per_group", "1024 threads per group ("),
        ("h100", "limits.buffer_args", "unlimited buffer arguments ("),
        ("m4", "limits.buffer_args", "31 buffer arguments ("),
        ("h100", "shared.banks", "32 shared memory banks ("),
        ("h100", "execution.subgroup_width", "subgroup width: 32 lanes ("),
        ("m4", "features.fp64", "f64 arithmetic: no ("),
        ("m4", "memory.size", "at least 16 GB device memory ("),
        ("h100", "rates.matrix.i8.i32", "1978.9 TOP/s matrix peak, i8.i32 ("),
    ],
)
def test_citations(name: str, path: str, start: str) -> None:
    assert load_machine(name).fact(path).cite().startswith(start)


@pytest.mark.parametrize("name", ["h100", "m4", "cpu", "sm_90"])
def test_record_is_json_and_cites_sources_that_it_has(name: str) -> None:
    record = json.loads(json.dumps(machine_record(load_machine(name)), allow_nan=False))
    cited = {source for fact in record["facts"].values() for source in fact["source"]}
    assert cited <= set(record["sources"])
    assert all(
        {"value", "unit", "kind", "source", "confidence", "verified"} <= set(f) for f in record["facts"].values()
    )
