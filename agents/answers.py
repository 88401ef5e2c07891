"""What models are asked for, and how it is read from what they say."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, ClassVar, TypeVar, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from .errors import NoAnswer

Answer = TypeVar("Answer", bound=BaseModel)


class Lenient(BaseModel):
    """Base: models add keys of their own, which are ignored. `most_tokens`: how long an answer may be."""

    model_config = ConfigDict(extra="ignore")
    most_tokens: ClassVar[int] = 1000

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, said: Any) -> Any:
        """A null is how many models leave a field out."""
        if not isinstance(said, dict):
            return said
        return {k: v for k, v in cast("dict[str, Any]", said).items() if v is not None}


def _cut(most: int) -> AfterValidator:
    """A model that says more than is wanted is cut short, not sent away."""

    def cut(said: Any) -> Any:
        return said[:most]

    return AfterValidator(cut)


class Brief(Lenient):
    """A sage's brief on one machine: what matters for this kernel there."""

    points: Annotated[list[str], _cut(30)] = Field(default_factory=list)


class Plan(Lenient):
    """The supervisor's strategies, one line each, the most promising first."""

    strategies: Annotated[list[str], _cut(16)] = Field(min_length=1)


class KernelAnswer(Lenient):
    """A kernel: the whole text in the destination's language; for Metal the body, and `header` before the kernel."""

    most_tokens: ClassVar[int] = 8000

    source: str = Field(min_length=1, max_length=100_000)
    header: str = Field(default="", max_length=100_000)
    idea: Annotated[str, _cut(2000)] = ""


_FENCE = re.compile(r"```([A-Za-z0-9_+-]*)[ \t]*\n(.*?)```", re.DOTALL)


def parse_answer(text: str, answer: type[Answer]) -> Answer:
    """Read an answer from a text: JSON, JSON in a fence or in prose, or (for a type with `source`) a fenced kernel.

    Raises NoAnswer with what was expected.
    """
    problem = "no JSON and no fenced code"
    # models that think aloud do so in front, in code and braces too
    said = text.partition("</think>")[2] or text
    fenced = [(m[1].lower(), m[2]) for m in _FENCE.finditer(said)]
    for candidate in (text, said, *(block for _, block in fenced), _braced(said)):
        stripped = candidate.strip()
        if not stripped.startswith("{"):
            continue
        try:
            # not strict: models break the lines of a kernel inside its string
            return answer.model_validate(json.loads(stripped, strict=False))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            problem = f"{'.'.join(map(str, first['loc'])) or 'JSON'}: {first['msg']}"
        except (ValueError, RecursionError) as error:
            problem = f"JSON: {error}"
    code = [block for language, block in fenced if language != "json"]
    if "source" in answer.model_fields and code:
        try:
            return answer.model_validate({"source": max(code, key=len)})
        except ValidationError as error:
            problem = str(error.errors()[0]["msg"])
    raise NoAnswer(f"the answer is no {answer.__name__}: {problem}")


def _braced(text: str) -> str:
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else ""


def one_line(text: str, most: int) -> str:
    """A model's words as one printable line of at most `most` characters."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"
