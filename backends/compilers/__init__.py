"""Compilers of the vendors' languages that need no device: does a text assemble, and what does the kernel then use?"""

from __future__ import annotations

from .assembly import Assembly, Resources, assemble, resources

__all__ = ["Assembly", "Resources", "assemble", "resources"]
