"""The corpus of kernels: every spec and reference holds together, every source is read or refused by number, and a few
kernels go through all gates. The table of all kernels and destinations is `benchmarks/coverage.py`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gpuport import Kernel, port
from gpuport.ir.diagnostics import Refusal, Severity
from gpuport.porting.spec.data import draw, outputs
from gpuport.porting.spec.reference import call_reference
from gpuport.porting.translate import read_kernel

CORPUS = Path(__file__).parent
SPECS = sorted(CORPUS.glob("*/*.kernel.toml"))
SOURCES = sorted(p for p in CORPUS.glob("*/*") if p.suffix in (".cu", ".hip", ".cl", ".metal"))
FAMILIES = set(
    "elementwise reduction scan stencil transpose gemm softmax normalisation attention convolution fft nbody".split()
)


def label(path: Path) -> str:
    return f"{path.parent.name}/{path.name.removesuffix('.kernel.toml')}"


def test_corpus_is_complete():
    assert len(SPECS) >= 80
    assert {p.parent.name for p in SPECS} >= FAMILIES
    used = {Kernel.load(p).source.resolve() for p in SPECS}
    assert [s.name for s in SOURCES if s.resolve() not in used] == []


@pytest.mark.parametrize("spec", SPECS, ids=label)
def test_reference_answers_at_every_size(spec: Path):
    kernel = Kernel.load(spec)
    sets = kernel.size_sets()
    assert len(sets) >= 2
    assert kernel.model.reference.python is not None
    for sizes in sets:
        inputs = draw(kernel, sizes, np.random.default_rng(1))
        found = call_reference(kernel, sizes, inputs)  # checks names, shapes and whole numbers
        assert found is not None
        assert list(found) or not outputs(kernel)


@pytest.mark.parametrize("spec", SPECS, ids=label)
def test_source_is_read_or_refused_by_number(spec: Path):
    kernel = Kernel.load(spec)
    try:
        source = read_kernel(kernel)  # checks the spec against the kernel's parameters too
    except Refusal as refusal:
        errors = [d for d in refusal.diagnostics if d.severity is Severity.ERROR]
        assert errors
        assert all(d.loc is not None and d.loc.line > 0 for d in errors)
        return
    for sizes in kernel.size_sets():
        launch = kernel.launch(sizes, source.constants)
        assert np.prod(launch.grid) * np.prod(launch.block) < 65536  # the whole corpus has to run in minutes


@pytest.mark.parametrize(
    ("name", "destination"),
    [
        ("elementwise/axpby", "cpu"),
        ("reduction/argmax_rows", "m4"),
        ("scan/shuffle_scan", "mi300x"),
        ("stencil/jacobi_early_return", "cpu"),
        ("transpose/permute_nhwc", "m4"),
        ("gemm/gemm_dynamic_tiles", "mi300x"),
        # names that the destination reserves; packed vectors in memory; a buffer written on both sides of a barrier; a
        # shared array passed to a function under a mask; a null argument; atomics on volatile memory
        ("elementwise/reserved_names", "m4"),
        ("elementwise/rgb_to_gray", "m4"),
        ("scan/compact_block", "m4"),
        ("reduction/max_volatile_tail", "cpu"),
        ("normalisation/batchnorm_mean_only", "cpu"),
        ("opencl/histogram_local", "m4"),
    ],
)
def test_kernel_goes_through_all_gates(name: str, destination: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GPUPORT_POCL_CPU", "auto")  # PoCL 3.0 does not know every CPU by name
    report = port(CORPUS / f"{name}.kernel.toml", "h100", destination)
    assert report.verified, report.reason
    judged = {g.gate for g in report.gates if g.verdict == "tested"}
    assert {"source", "compiles", "values", "sanitizer"} <= judged
