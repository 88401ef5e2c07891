"""A client for any OpenAI-compatible server: structured answers, limits on everything, a cache by content."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from .errors import ModelError, NoAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .budget import Spend

Answer = TypeVar("Answer", bound=BaseModel)

MAX_CHARS = 200_000
CHARS_PER_TOKEN = 4  # an estimate, where a server does not count


@dataclass(frozen=True)
class Server:
    """A server and a model on it. The key is read from `key_variable` and is never printed or stored."""

    base_url: str
    model: str
    key_variable: str = "OPENAI_API_KEY"
    timeout: float = 120.0
    retries: int = 3
    temperature: float = 0.7

    def __post_init__(self) -> None:
        if not self.base_url.startswith(("http://", "https://")):
            raise ModelError(f"--llm-base-url: expected http:// or https://, found {self.base_url!r}")

    @property
    def key(self) -> str:
        """The key; local servers need none."""
        return os.environ.get(self.key_variable, "") or "none"


def server_from_environment(base_url: str | None, model: str | None) -> Server:
    """Return the server of the options, or of OPENAI_BASE_URL and GPUPORT_LLM_MODEL. Raises ModelError."""
    url = base_url or os.environ.get("OPENAI_BASE_URL", "")
    if not url and os.environ.get("OPENAI_API_KEY"):
        url = "https://api.openai.com/v1"
    name = model or os.environ.get("GPUPORT_LLM_MODEL", "")
    if not url:
        raise ModelError("no language-model server: give --llm-base-url, or set OPENAI_BASE_URL or OPENAI_API_KEY")
    if not name:
        raise ModelError("no model: give --llm-model, or set GPUPORT_LLM_MODEL")
    return Server(url, name)


class Client:
    """Asks a server, within a spend; equal requests are answered from the cache folder, if one is given."""

    def __init__(self, server: Server, spend: Spend, cache: Path | None = None) -> None:
        self.server, self.spend, self.cache = server, spend, cache
        self._structured = True
        self._client: Any = None

    def ask(self, messages: Sequence[Mapping[str, str]], answer: type[Answer], *, salt: str = "") -> Answer:
        """Ask for an answer of a type. `salt` tells equal requests apart that shall be asked anew.

        Raises NoAnswer where this request gave nothing usable, OutOfBudget, ModelError where no request can succeed.
        """
        self.spend.check()
        key = self._cache_key(messages, answer, salt)
        text = self._cached(key)
        if text is None:
            text = self._request(messages, answer)
            self._store(key, text)
        else:
            self.spend.add(0, 0, cached=True)
        return parse_answer(text, answer)

    def _openai(self) -> Any:
        if self._client is None:
            try:
                import openai
            except ImportError:
                raise ModelError("the package openai is not installed: pip install 'gpuport[agents]'") from None
            s = self.server
            self._client = openai.OpenAI(base_url=s.base_url, api_key=s.key, timeout=s.timeout, max_retries=s.retries)
        return self._client

    def _request(self, messages: Sequence[Mapping[str, str]], answer: type[BaseModel]) -> str:
        import openai

        if self._structured:
            schema = {"name": answer.__name__, "schema": answer.model_json_schema(), "strict": False}
            try:
                return self._stream(messages, {"response_format": {"type": "json_schema", "json_schema": schema}})
            except (openai.BadRequestError, openai.UnprocessableEntityError):
                self._structured = False  # a server without structured output: JSON or fenced code in the text
        try:
            return self._stream(messages, {})
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            raise NoAnswer(f"the server rejects the request: {self.redact(_first_line(error))}") from None

    def _stream(self, messages: Sequence[Mapping[str, str]], extra: dict[str, Any]) -> str:
        import httpx
        import openai

        parts: list[str] = []
        size, usage = 0, None
        deadline = time.monotonic() + self.server.timeout
        try:
            stream = self._openai().chat.completions.create(
                model=self.server.model, messages=list(messages), temperature=self.server.temperature, stream=True,
                stream_options={"include_usage": True}, **extra,
            )  # fmt: skip
            with stream:
                for chunk in stream:
                    usage = getattr(chunk, "usage", None) or usage
                    for choice in getattr(chunk, "choices", None) or ():
                        piece = getattr(choice.delta, "content", None) or ""
                        parts.append(piece)
                        size += len(piece)
                    if size > MAX_CHARS:
                        raise NoAnswer(f"the answer is longer than {MAX_CHARS} characters")
                    if time.monotonic() > deadline:
                        raise NoAnswer(f"the answer did not end within {self.server.timeout:g} s")
        except (openai.AuthenticationError, openai.PermissionDeniedError):
            raise ModelError(
                f"{self.server.base_url} rejects the key in {self.server.key_variable}; set a valid one"
            ) from None
        except openai.NotFoundError as error:
            raise ModelError(f"{self.server.base_url}: {self.redact(_first_line(error))}") from None
        except (openai.BadRequestError, openai.UnprocessableEntityError):
            raise
        except (openai.OpenAIError, httpx.HTTPError, ValueError) as error:
            raise NoAnswer(self.redact(f"{type(error).__name__}: {_first_line(error)}")) from None
        finally:
            given = sum(len(m["content"]) for m in messages) // CHARS_PER_TOKEN
            counted = (usage.prompt_tokens, usage.completion_tokens) if usage else (given, size // CHARS_PER_TOKEN)
            self.spend.add(*counted)
        text = "".join(parts)
        if not text.strip():
            raise NoAnswer("the answer is empty")
        return text

    def redact(self, text: str) -> str:
        """Return a text without the key."""
        key = self.server.key
        return text.replace(key, "[key]") if len(key) > 4 else text

    def _cache_key(self, messages: Sequence[Mapping[str, str]], answer: type[BaseModel], salt: str) -> str:
        content = [
            self.server.model,
            self.server.temperature,
            list(map(dict, messages)),
            answer.model_json_schema(),
            salt,
        ]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def _cached(self, key: str) -> str | None:
        if self.cache is None:
            return None
        try:
            return (self.cache / f"{key}.txt").read_text(encoding="utf-8")
        except OSError:
            return None

    def _store(self, key: str, text: str) -> None:
        if self.cache is None:
            return
        self.cache.mkdir(parents=True, exist_ok=True)
        part = self.cache / f"{key}.{os.getpid()}.part"
        part.write_text(self.redact(text), encoding="utf-8")
        part.replace(self.cache / f"{key}.txt")


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__


_FENCE = re.compile(r"```[A-Za-z0-9_+-]*[ \t]*\n(.*?)```", re.DOTALL)


def parse_answer(text: str, answer: type[Answer]) -> Answer:
    """Read an answer from a text: JSON, JSON in a fence or in prose, or (for a type with `source`) a fenced kernel.

    Raises NoAnswer with what was expected.
    """
    problem = "no JSON and no fenced code"
    blocks = [m.group(1) for m in _FENCE.finditer(text)]
    for candidate in (text, *blocks, _braced(text)):
        stripped = candidate.strip()
        if not stripped.startswith("{"):
            continue
        try:
            return answer.model_validate_json(stripped)
        except ValidationError as error:
            first = error.errors()[0]
            problem = f"{'.'.join(map(str, first['loc'])) or 'JSON'}: {first['msg']}"
    if "source" in answer.model_fields and blocks:
        try:
            return answer.model_validate({"source": max(blocks, key=len)})
        except ValidationError as error:
            problem = str(error.errors()[0]["msg"])
    raise NoAnswer(f"the answer is no {answer.__name__}: {problem}")


def _braced(text: str) -> str:
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else ""
