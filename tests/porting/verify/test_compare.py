from __future__ import annotations

import numpy as np
import pytest
from gpuport.ir.types import F16, F32, F64, I32
from gpuport.porting.spec import Tolerance
from gpuport.porting.verify import Expected, compare
from hypothesis import given
from hypothesis import strategies as st

NAN, INF = float("nan"), float("inf")


def judged(got, ref, bound=0.0, scalar=F32, mode=None):
    values = np.array([ref], np.float64 if scalar.is_float else np.int64)
    return compare(np.array([got], values.dtype), Expected(values, np.array([bound]), ""), scalar, mode)


@pytest.mark.parametrize(
    ("got", "ref", "bound", "bad"),
    [
        (1.0, 1.0, 0.0, 0), (1.5, 1.0, 0.5, 0), (1.6, 1.0, 0.5, 1),
        (NAN, NAN, 0.0, 0), (NAN, 1.0, 9.0, 1), (1.0, NAN, 9.0, 1), (NAN, 1.0, INF, 1),
        (INF, INF, 0.0, 0), (-INF, INF, 9.0, 1), (INF, 1.0, 9.0, 1), (3e38, INF, 1.0, 1),
        (INF, 1e39, 0.0, 0), (INF, 3.4e38, 1e37, 0), (-INF, 3.4e38, 1e37, 1), (INF, 3.3e38, 1e35, 1),
        (-0.0, 0.0, 0.0, 0), (0.0, 1e-45, 0.0, 1),
    ],
)  # fmt: skip
def test_floats_within_a_bound(got, ref, bound, bad):
    assert judged(got, ref, bound).bad == bad


def test_half_overflows_where_half_does():
    assert judged(INF, 65520.0, 0.0, F16).bad == 0
    assert judged(INF, 65000.0, 0.0, F16).bad == 1


def test_doubles_have_an_edge_too():
    assert judged(INF, 1.7e308, 1e307, F64).bad == 0
    assert judged(INF, 1.0, 1.0, F64).bad == 1


def test_no_bound_is_no_verdict():
    found = judged(123.0, 1.0, INF)
    assert (found.bad, found.unjudged) == (0, 1)


@pytest.mark.parametrize(("got", "ref", "bad"), [(0.0, 0.0, 0), (-0.0, 0.0, 1), (NAN, NAN, 0), (1.0, 1.0 + 2**-23, 1)])
def test_exact_means_signs_of_zeros_too(got, ref, bad):
    assert judged(got, ref, 1.0, mode="exact").bad == bad


def test_integers_are_exact_whatever_the_bound():
    assert judged(2**62 + 1, 2**62, 5.0, I32).bad == 1
    assert judged(7, 8, 5.0, I32, Tolerance(atol=1.0)).bad == 0


def test_tolerance_is_absolute_and_relative():
    assert judged(111.0, 100.0, mode=Tolerance(rtol=0.1, atol=1.0)).bad == 0
    assert judged(111.1, 100.0, mode=Tolerance(rtol=0.1, atol=1.0)).bad == 1


@pytest.mark.parametrize(("got", "bad"), [(INF, 0), (-INF, 1), (NAN, 1), (3e38, 1), (0.0, 1)])
def test_a_tolerance_leaves_infinities_where_they_are(got, bad):
    assert judged(got, INF, mode=Tolerance(rtol=0.1, atol=1.0)).bad == bad


def test_worst_element_is_the_one_furthest_out():
    ref = np.array([1.0, 100.0, 1.0])
    expected = Expected(ref, np.array([0.1, 10.0, 0.1]), "")
    assert compare(ref + np.array([0.2, 15.0, 0.5]), expected, F32).index == 2
    assert compare(ref + np.array([0.01, 9.0, 0.05]), expected, F32).index == 1
    assert compare(ref + np.array([0.2, NAN, 0.5]), expected, F32).index == 1


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=8), st.data())
def test_bad_counts_those_out_of_bounds(values, data):
    ref = np.array(values)
    off = np.array([data.draw(st.sampled_from([0.0, 0.5, 2.0])) for _ in values])
    found = compare(ref + off, Expected(ref, np.ones(len(values)), ""), F32)
    assert found.bad == int((off > 1).sum())


def test_empty_outputs_are_fine():
    assert compare(np.zeros(0), Expected(np.zeros(0), np.zeros(0), ""), F32).index is None
