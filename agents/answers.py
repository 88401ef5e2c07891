"""What models are asked for."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Lenient(BaseModel):
    """Base: models add keys of their own, which are ignored."""

    model_config = ConfigDict(extra="ignore")


class Brief(Lenient):
    """A sage's brief on one machine: what matters for this kernel there."""

    points: list[str] = Field(default_factory=list, max_length=30)


class Plan(Lenient):
    """The supervisor's strategies, one line each, the most promising first."""

    strategies: list[str] = Field(min_length=1, max_length=16)


class KernelAnswer(Lenient):
    """A kernel: the whole text in the destination's language; for Metal the body, and `header` before the kernel."""

    source: str = Field(min_length=1, max_length=100_000)
    header: str = Field(default="", max_length=100_000)
    idea: str = Field(default="", max_length=2_000)
