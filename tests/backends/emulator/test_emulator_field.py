"""The finite field against Python's integers and fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from gpuport.backends.emulator.field import EXP, MODP, MODQ, P, Q, dyadic, keyed, residues_of
from gpuport.ir.types import F16, F32, F64
from hypothesis import given
from hypothesis import strategies as st

MODULI = pytest.mark.parametrize("modulus", [MODP, MODQ], ids=["p", "q"])


def residues(modulus, n=200, seed=1):
    m = modulus.prime
    edge = [0, 1, 2, m - 1, m - 2, m // 2, 2**31, 2**31 - 1, 2**32, 2**61 - 1]
    drawn = np.random.default_rng(seed).integers(0, m, n, np.uint64)
    return np.concatenate([np.array(edge, np.uint64) % np.uint64(m), drawn])


def is_prime(n: int) -> bool:
    """Miller and Rabin's test, certain below 3.3e24 with these bases (Sorenson, Webster 2015)."""
    d, s = n - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    for a in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41):
        x = pow(a, d, n)
        if x not in (1, n - 1) and all((x := x * x % n) != n - 1 for _ in range(s - 1)):
            return False
    return True


def test_the_moduli_are_what_the_method_needs():
    assert is_prime(Q)
    assert is_prime(P)
    assert P == 2 * Q + 1
    assert 2**61 < P < 2**62
    assert P % 4 == Q % 4 == 3
    assert pow(EXP.generator, Q, P) == 1 != EXP.generator


@MODULI
@pytest.mark.parametrize("op", ["add", "subtract", "multiply"])
def test_arithmetic_is_that_of_integers(modulus, op):
    a = residues(modulus)
    x, y = a[:, None], a[None, :]
    got = getattr(modulus, op)(x, y)
    exact = {"add": int.__add__, "subtract": int.__sub__, "multiply": int.__mul__}[op]
    want = [[exact(int(i), int(j)) % modulus.prime for j in a] for i in a]
    assert got.tolist() == want


@MODULI
def test_inverse_and_power(modulus):
    a = residues(modulus)
    want = [pow(int(v), -1, modulus.prime) if v else 0 for v in a]
    assert modulus.inverse(a).tolist() == want
    for n in (0, 1, 16, 17, 33, 100, 1021):  # by trees of products of every form
        many = np.resize(a, n)
        assert modulus.inverse(many).tolist() == np.resize(want, n).tolist()
    assert modulus.inverse(np.resize(a, (9, 7))).tolist() == np.resize(want, (9, 7)).tolist()
    assert modulus.inverse(np.full((5, 8), a[1])).tolist() == np.full((5, 8), want[1]).tolist()
    assert modulus.power(a, 5).tolist() == [pow(int(v), 5, modulus.prime) for v in a]


@MODULI
def test_roots_are_multiplicative_and_square_to_the_argument(modulus):
    a = residues(modulus)[1:]
    squares = modulus.multiply(a, a)
    roots = modulus.root(squares)
    assert modulus.multiply(roots, roots).tolist() == squares.tolist()
    b = a[::-1].copy()
    together = modulus.root(modulus.multiply(a, b))
    assert together.tolist() == modulus.multiply(modulus.root(a), modulus.root(b)).tolist()


def test_the_exponential_turns_sums_into_products():
    a, b = residues(MODQ), residues(MODQ, seed=2)
    assert EXP(a).tolist() == [pow(4, int(v), P) for v in a]
    assert EXP(MODQ.add(a, b)).tolist() == MODP.multiply(EXP(a), EXP(b)).tolist()


@MODULI
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_are_exact(modulus, x):
    want = Fraction(x).numerator * pow(Fraction(x).denominator, -1, modulus.prime) % modulus.prime
    assert int(dyadic(np.array([x]), modulus)[0]) == want


@MODULI
def test_sums_at_repeated_places(modulus):
    cells, value = residues(modulus)[:7], residues(modulus, seed=3)
    index = np.arange(value.size) % 3
    want = [int(c) for c in cells]
    for i, v in zip(index, value, strict=True):
        want[i] = (want[i] + int(v)) % modulus.prime
    modulus.sum_at(cells, index, value)
    assert cells.tolist() == want


@pytest.mark.parametrize("scalar", [F16, F32, F64], ids=str)
def test_literals_stand_for_simple_fractions(scalar):
    third = float(np.array(1 / 3, {F16: np.float16, F32: np.float32, F64: np.float64}[scalar]))
    assert residues_of(third, scalar) == tuple(pow(3, -1, m) for m in (P, Q))
    assert residues_of(-0.75, scalar) == tuple(-3 * pow(4, -1, m) % m for m in (P, Q))


def test_other_literals_are_exact_and_logarithms_formal():
    odd = float(np.float32(0.7071068))
    assert residues_of(odd, F32) == (MODP.of_fraction(Fraction(odd)), MODQ.of_fraction(Fraction(odd)))
    for a, b in ((0.6931472, 1.442695), (2.3025851, 0.4342945)):
        two = (residues_of(float(np.float32(v)), F32) for v in (a, b))
        assert [x * y % m for x, y, m in zip(*two, (P, Q), strict=True)] == [1, 1]


def test_keyed_functions_depend_on_key_and_every_argument():
    a, b = residues(MODP)[10:], residues(MODP, seed=2)[10:]
    one = keyed(1, [a, b])
    assert (one == keyed(1, [a.copy(), b.copy()])).all()
    for other in (keyed(2, [a, b]), keyed(1, [b, a]), keyed(1, [a, b + np.uint64(1)])):
        assert not (one == other).any()
