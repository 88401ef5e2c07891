"""Rewriting one function so that all threads reach its collectives; see `rewrites.predicate`."""

from .function import MARK, Masking
from .state import Facts, Variant

__all__ = ["MARK", "Facts", "Masking", "Variant"]
