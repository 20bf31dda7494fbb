"""Randomness from a counter: a draw is a pure function of (seed, split, index, field).

Sample 731 is therefore the same alone, in a batch, in a worker and on any machine, and asking for more samples never changes earlier
ones. Only 64-bit integer arithmetic and exact scalings by powers of two are used. Scalar functions take Python integers and are the
readable definition; `Draws` computes the same numbers for many samples at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64, Int64, UInt64

_ALL = (1 << 64) - 1
_GAMMA, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_SHIFTS = tuple(np.uint64(s) for s in (11, 27, 30, 31, 32))
_LOW = np.uint64(0xFFFFFFFF)


def splitmix64(x: int) -> int:
    """The finaliser of Steele, Lea and Flood (2014), modulo 2**64."""
    z = (x + _GAMMA) & _ALL
    z = ((z ^ (z >> 30)) * _FIRST) & _ALL
    z = ((z ^ (z >> 27)) * _SECOND) & _ALL
    return z ^ (z >> 31)


def mix(*arguments: int) -> int:
    """One 64-bit hash of several integers in order; in this package always (seed, split, index, field)."""
    h = 0
    for argument in arguments:
        h = splitmix64(h ^ argument)
    return h


def uniform(h: int) -> float:
    """The hash as a number in [0, 1) with 53 bits."""
    return (h >> 11) / 2**53


def below(n: int, h: int) -> int:
    """The hash as an integer in 0 ... n - 1, for n up to 2**32; it reads the upper 32 bits only."""
    return ((h >> 32) * n) >> 32


def noise(seed: int, split: int, index: int, field: int) -> float:
    """A bell-shaped number of mean 0 and variance 1 from four consecutive fields; no logarithm, no cosine."""
    a, b, c, d = (uniform(mix(seed, split, index, field + q)) for q in range(4))
    return math.sqrt(3.0) * (a + b + c + d - 2.0)


def splitmix64_many(x: UInt64[np.ndarray, "..."]) -> UInt64[np.ndarray, "..."]:
    """`splitmix64` of every entry."""
    _11, _27, _30, _31, _32 = _SHIFTS
    z = x + np.uint64(_GAMMA)
    z = (z ^ (z >> _30)) * np.uint64(_FIRST)
    z = (z ^ (z >> _27)) * np.uint64(_SECOND)
    return z ^ (z >> _31)


def uniform_many(h: UInt64[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
    """`uniform` of every entry."""
    return (h >> _SHIFTS[0]).astype(np.float64) * 2.0**-53


@dataclass(frozen=True, eq=False)
class Draws:
    """All draws of the samples `index` of one split; each method is the vectorised twin of the function of that name."""

    seed: int
    split: int
    index: Int64[np.ndarray, "N"]

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= _ALL:
            raise ValueError(f"seed is {self.seed}, but must lie between 0 and 2**64 - 1")
        if len(self.index) and self.index.min() < 0:
            raise ValueError(f"index holds {self.index.min()}, but samples are numbered from 0")

    @cached_property
    def _prefix(self) -> UInt64[np.ndarray, "N"]:
        return splitmix64_many(self.index.astype(np.uint64) ^ np.uint64(mix(self.seed, self.split)))

    def hash(self, field: int) -> UInt64[np.ndarray, "N"]:
        return splitmix64_many(self._prefix ^ np.uint64(field))

    def uniform(self, field: int) -> Float64[np.ndarray, "N"]:
        return uniform_many(self.hash(field))

    def below(self, n: int, field: int) -> Int64[np.ndarray, "N"]:
        shift = _SHIFTS[4]
        return (((self.hash(field) >> shift) * np.uint64(n)) >> shift).astype(np.int64)

    def fraction(self, field: int) -> Float64[np.ndarray, "N"]:
        """A second number in [0, 1) from the lower 32 bits of a field; independent of `below` of the same field."""
        return (self.hash(field) & _LOW).astype(np.float64) * 2.0**-32

    def noise(self, fields: range) -> Float64[np.ndarray, "N F"]:
        """Noise at each of the fields; use a step of 4 so that no draw is shared."""
        first = np.arange(fields.start, fields.stop, fields.step, dtype=np.uint64)
        a, b, c, d = (uniform_many(splitmix64_many(self._prefix[:, None] ^ (first + np.uint64(q)))) for q in range(4))
        return math.sqrt(3.0) * (a + b + c + d - 2.0)
