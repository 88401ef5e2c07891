"""Round trips: `python benchmarks/round_trips.py [--only FAMILY[/NAME]] [--through DESTINATIONS] [--jobs N] [--json]`.

Every CUDA kernel of tests/kernels is ported to another device, its text read back and ported home, and both CUDA
programs run in emulation on the same inputs, at up to three sizes. A trip is: the same bits (`identical`), values
within the bound that the destination is allowed (`within`: a fused product there, another accuracy of a function),
refused on the way (with its numbers), `different`, or an `error` of gpuport's own. Exit status 1 for the last two.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from coverage import specs
from gpuport import Kernel, load_machine
from gpuport.backends.readers import read_text
from gpuport.ir.diagnostics import Refusal
from gpuport.porting.round_trip import DefectShown, emulated_outputs, there_and_back
from gpuport.porting.spec.data import decode
from gpuport.porting.translate import read_kernel
from gpuport.porting.verify.compare import compare
from gpuport.porting.verify.oracle import Oracle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpuport.porting.candidate import SourceProgram

HOME = "h100"
THROUGH = ("m4:metal", "cpu:opencl")
SIZES = 3
BAD = ("different", "error")
OUTCOMES = ("identical", "within", "refused", *BAD)


def trip(source: SourceProgram, through: str) -> tuple[str, str]:
    """Take one kernel there and back; return what became of it, and a detail."""
    device, _, language = through.partition(":")
    home, kernel = load_machine(HOME), source.kernel
    try:
        text = there_and_back(source, home, load_machine(device), language=language)
        program = read_text(text, home)
    except Refusal as refusal:
        errors = [d for d in refusal.diagnostics if d.severity.value == "error"]
        return "refused", " ".join(sorted({d.number for d in errors}))
    oracle = Oracle(kernel, source.program, home, 5, 60.0)
    outcome = "identical"
    for sizes in kernel.size_sets()[:SIZES]:
        inputs = oracle.inputs(sizes, "normal")
        try:
            expected = emulated_outputs(source, source.program, home, sizes, inputs)
        except DefectShown:
            continue  # the source itself
        try:
            got = emulated_outputs(source, program, home, sizes, inputs)
        except DefectShown as defect:
            return "different", f"{sizes}: {defect}"
        if all(np.array_equal(got[n].view(np.uint8), v.view(np.uint8)) for n, v in expected.items()):
            continue
        outcome = "within"
        allowed = oracle.expect(sizes, kernel.launch(sizes, source.constants), "normal", home, "cuda").outputs
        for name, values in got.items():
            scalar = kernel.args[name].scalar
            mode = kernel.model.reference.compare.get(name)
            if name not in allowed or compare(decode(values, scalar), allowed[name], scalar, mode).bad:
                return "different", f"{sizes}: {name}"
    return outcome, ""


def row(spec: Path, through: Sequence[str]) -> dict[str, Any]:
    """Make all trips of one kernel."""
    found: dict[str, tuple[str, str]] = {}
    try:
        source = read_kernel(Kernel.load(spec))
        for name in through:
            found[name] = trip(source, name)
    except Refusal as refusal:
        found = dict.fromkeys(through, ("refused", refusal.diagnostics[0].number))
    except Exception:  # a fault of gpuport's own is an outcome too, and costs the other kernels nothing
        found |= {t: ("error", traceback.format_exc(limit=-3)) for t in through if t not in found}
    return {
        "kernel": f"{spec.parent.name}/{spec.name.removesuffix('.kernel.toml')}",
        "through": {t: {"outcome": o, "detail": d} for t, (o, d) in found.items()},
    }


def main() -> int:
    """Make the trips, print the table, return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", default=[], metavar="FAMILY[/NAME]", help="may be given repeatedly")
    parser.add_argument("--through", default=",".join(THROUGH), help="MACHINE:LANGUAGE, separated by commas")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="kernels at a time")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    through = options.through.split(",")
    counts = {t: Counter[str]() for t in through}
    rows: list[dict[str, Any]] = []
    if not options.json:
        print(f"{'kernel':<38}" + "".join(f"{t:<24}" for t in through))
    chosen = [s for s in specs(options.only) if Kernel.load(s).source.suffix == ".cu"]
    with ProcessPoolExecutor(max_workers=max(1, options.jobs)) as pool:
        for found in pool.map(row, chosen, [through] * len(chosen)):
            rows.append(found)
            trips = found["through"]
            for t in through:
                counts[t][trips[t]["outcome"]] += 1
            if not options.json:
                shown = (" ".join((c["outcome"], *c["detail"].splitlines()[-1:])) for c in trips.values())
                print(f"{found['kernel']:<38}" + "".join(f"{text:<24}" for text in shown), flush=True)
    if options.json:
        print(
            json.dumps(
                {"totals": {t: {o: c[o] for o in OUTCOMES} for t, c in counts.items()}, "kernels": rows}, indent=2
            )
        )
    else:
        print(f"\n{'CUDA through':<20}" + "".join(f"{o:>12}" for o in OUTCOMES))
        for t, c in counts.items():
            print(f"{t:<20}" + "".join(f"{c[o]:>12}" for o in OUTCOMES))
    return 1 if any(c[o] for c in counts.values() for o in BAD) else 0


if __name__ == "__main__":
    sys.exit(main())
