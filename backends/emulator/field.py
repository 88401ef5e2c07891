"""Arithmetic on arrays modulo two large primes p = 2q + 1, and the exponential from one into the other.

A number is a pair of residues, modulo p and modulo q. As p is a safe prime, g = 4 generates the subgroup of order q, so
that exp(v) = g^(v mod q) mod p obeys exp(a + b) = exp(a) exp(b). Two rational expressions of degree d that differ agree
at random residues with probability d / q at most (Schwartz 1980, Zippel 1979). After verification.md §3.4.
"""

from __future__ import annotations

import zlib
from fractions import Fraction
from functools import cached_property
from typing import Final, TypeAlias

import numpy as np

from ...ir.types import Scalar
from . import formats
from .lanes import Array

Element: TypeAlias = "tuple[Array, Array, Array, Array]"
"""Residues modulo p and q; the float where it does not depend on data, else NaN; flags."""

DATA: Final = 1
NO_EXPONENT: Final = 2  # the residue modulo q is not known: an exponential, of which there is none in turn
SOFT: Final = 4  # went through a pseudo-random function
UNKNOWN: Final = 8
SOFT_EXPONENT: Final = 16  # SOFT as soon as it is an exponent

Q: Final = 2305843009213688159  # the largest q < 2^61, q = 3 mod 4, with q and 2q + 1 prime
P: Final = 2 * Q + 1
GENERATOR: Final = 4
_HALF: Final = np.uint64(31)
_LOW: Final = np.uint64(2**31 - 1)
_WINDOW: Final = 8
_INVERTED: Final = 16  # so many are inverted one by one


class Modulus:
    """Arithmetic modulo a prime below 2^62; residues are uint64 arrays of any shapes that broadcast."""

    def __init__(self, prime: int) -> None:
        self.prime = prime
        self.m = np.uint64(prime)
        self._share = 1.0 / prime

    def add(self, a: Array, b: Array) -> Array:
        """a + b."""
        return self._below(a + b)

    def subtract(self, a: Array, b: Array) -> Array:
        """a - b."""
        return self._below(a + (self.m - b))

    def negate(self, a: Array) -> Array:
        """-a."""
        return np.where(a == 0, a, self.m - a)

    def _below(self, a: Array) -> Array:
        return np.where(a >= self.m, a - self.m, a)

    def multiply(self, a: Array, b: Array) -> Array:
        """a b: the quotient is estimated in floating point, 31 bits of b at a time, and is off by one at most."""
        part = a.astype(np.float64) * self._share
        high, low = b >> _HALF, b & _LOW
        r = a * high - (part * high.astype(np.float64)).astype(np.uint64) * self.m
        r = np.where(r.view(np.int64) < 0, r + self.m, r)
        q = (r.astype(np.float64) * (2.0**31 * self._share) + part * low.astype(np.float64)).astype(np.uint64)
        r = (r << _HALF) + a * low - q * self.m
        r = np.where(r.view(np.int64) < 0, r + self.m, r)
        return self._below(r)

    def power(self, a: Array, exponent: int) -> Array:
        """a^exponent, exponent >= 0; equal elements are computed once."""
        if a.size > 64:
            values, where = np.unique(a, return_inverse=True)
            return self.power_of_each(values, exponent)[where].reshape(a.shape)
        return self.power_of_each(a, exponent)

    def power_of_each(self, a: Array, exponent: int) -> Array:
        """a^exponent by repeated squaring."""
        out = np.ones_like(a)
        for bit in bin(exponent)[2:]:
            out = self.multiply(out, out)
            if bit == "1":
                out = self.multiply(out, a)
        return out

    def inverse(self, a: Array) -> Array:
        """1 / a, 0 for 0: one inversion for all of them (Montgomery 1987), by a tree of products."""
        if a.size > _INVERTED and (a == a.flat[0]).all():
            return np.broadcast_to(self.inverse(a.reshape(-1)[:1]).reshape((1,) * a.ndim), a.shape)
        flat = np.where(a == 0, np.uint64(1), a).reshape(-1)
        levels: list[tuple[Array, Array]] = []
        while flat.size > _INVERTED:
            if flat.size % 2:
                flat = np.append(flat, np.uint64(1))
            pair = flat[0::2], flat[1::2]
            levels.append(pair)
            flat = self.multiply(*pair)
        flat = np.array([pow(int(x), -1, self.prime) for x in flat], np.uint64)
        for left, right in reversed(levels):
            inverted = flat[: left.size]  # what is behind it was filled up with ones
            flat = np.stack([self.multiply(inverted, right), self.multiply(inverted, left)], axis=-1).reshape(-1)
        return np.where(a == 0, np.uint64(0), flat[: a.size].reshape(a.shape))

    def root(self, a: Array) -> Array:
        """a^((m + 1) / 4): multiplicative in a, and where a is a square one of its roots, since m = 3 mod 4."""
        return self.power(a, (self.prime + 1) // 4)

    def of_integers(self, a: Array) -> Array:
        """Residues of integer lanes."""
        if a.dtype.kind == "b":
            return a.astype(np.uint64)
        if a.dtype.kind == "u":
            return a.astype(np.uint64) % self.m
        size = np.abs(a.astype(np.int64)).view(np.uint64) % self.m
        return np.where(a < 0, self.negate(size), size)

    def of_fraction(self, value: Fraction) -> int:
        """Residue of a rational number whose denominator the prime does not divide."""
        return value.numerator * pow(value.denominator, -1, self.prime) % self.prime

    def sum_at(self, cells: Array, index: Array, value: Array) -> None:
        """Add `value[i]` to `cells[index[i]]`, all one-dimensional, in place."""
        high, low = np.zeros_like(cells), np.zeros_like(cells)
        np.add.at(high, index, value >> _HALF)
        np.add.at(low, index, value & _LOW)
        total = self.add(self.multiply(high % self.m, np.full(1, 2**31, np.uint64)), low % self.m)
        cells[:] = self.add(cells, total)


class Exponential:
    """g^x modulo p by a table of the powers of g for every byte of x."""

    def __init__(self, modulus: Modulus, generator: int = GENERATOR) -> None:
        self.modulus, self.generator = modulus, generator

    @cached_property
    def _table(self) -> list[Array]:
        prime, base = self.modulus.prime, self.generator
        rows: list[Array] = []
        for _ in range(64 // _WINDOW):
            row = [1]
            for _ in range(2**_WINDOW - 1):
                row.append(row[-1] * base % prime)
            rows.append(np.array(row, np.uint64))
            base = pow(base, 2**_WINDOW, prime)
        return rows

    def __call__(self, x: Array) -> Array:
        """g^x of exponents modulo q."""
        mask = np.uint64(2**_WINDOW - 1)
        out = self._table[0][(x & mask).astype(np.int64)]
        for i, row in enumerate(self._table[1:], 1):
            at = ((x >> np.uint64(i * _WINDOW)) & mask).astype(np.int64)
            out = self.modulus.multiply(out, row[at])
        return out


def keyed(key: int, residues: list[Array]) -> Array:
    """A pseudo-random 64-bit function of residues: the finaliser of splitmix64 (Steele, Lea, Flood 2014), chained."""
    out = np.full((1, 1), key & (2**64 - 1), np.uint64)
    for r in residues:
        out = out ^ r
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            out = (out ^ (out >> np.uint64(shift))) * np.uint64(factor)
        out = (out ^ (out >> np.uint64(31))) + np.uint64(0x9E3779B97F4A7C15)
    return out


MODP: Final = Modulus(P)
MODQ: Final = Modulus(Q)
EXP: Final = Exponential(MODP)

DENOMINATOR: Final = 1000
"""A literal stands for a fraction with a denominator up to this, if it is one rounded: 0.1f for 1/10."""

_BIAS: Final = 1200
# formal logarithms: log2(e) must be the inverse of ln(2), whatever their residues are
_LOGARITHMS: Final = {
    float(np.log(2.0)): ("ln 2", 1), float(1 / np.log(2.0)): ("ln 2", -1),
    float(np.log(10.0)): ("ln 10", 1), float(1 / np.log(10.0)): ("ln 10", -1),
}  # fmt: skip


def residues_of(value: float, scalar: Scalar) -> tuple[int, int]:
    """Residues of a literal."""
    for number, (name, exponent) in _LOGARITHMS.items():
        if abs(value) == float(formats.round_to(np.array([[number]]), scalar)[0, 0]):
            pair = []
            for m in (P, Q):
                formal = int(keyed(zlib.crc32(name.encode()), [np.full((1, 1), m, np.uint64)])[0, 0]) % m
                pair.append(pow(formal, exponent, m) * (1 if value > 0 else -1) % m)
            return pair[0], pair[1]
    exact = Fraction(value)
    simple = exact.limit_denominator(DENOMINATOR)
    if float(formats.round_to(np.array([[float(simple)]]), scalar)[0, 0]) != value:
        simple = exact
    return MODP.of_fraction(simple), MODQ.of_fraction(simple)


def dyadic(values: Array, modulus: Modulus) -> Array:
    """Residues of finite floats: a 53-bit integer times a power of two."""
    mantissa, exponent = np.frexp(values)
    whole = modulus.of_integers(np.ldexp(mantissa, 53).astype(np.int64))
    return modulus.multiply(whole, _powers_of_two(modulus)[exponent.astype(np.int64) - 53 + _BIAS])


_TABLES: dict[int, Array] = {}


def _powers_of_two(modulus: Modulus) -> Array:
    table = _TABLES.get(modulus.prime)
    if table is None:
        power, row = pow(pow(2, -1, modulus.prime), _BIAS, modulus.prime), []
        for _ in range(2 * _BIAS + 100):
            row.append(power)
            power = power * 2 % modulus.prime
        table = _TABLES[modulus.prime] = np.array(row, np.uint64)
    return table
