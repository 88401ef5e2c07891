"""A client for any OpenAI-compatible server: structured answers, limits on everything, a cache by content."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from .answers import Lenient, one_line, parse_answer
from .errors import ModelError, NoAnswer, OutOfBudget

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .budget import Spend

Answer = TypeVar("Answer", bound=Lenient)

MAX_CHARS: Final = 200_000
MOST_TOKENS: Final = 1 << 30  # in one request
CHARS_PER_TOKEN: Final = 4  # an estimate, where a server does not count
BACKOFF: Final = 60.0  # seconds that all waiting between the tries of one request may take
_MALFORMED: Final = (ValueError, TypeError, AttributeError, RecursionError)
"""What the package's own reading of a malformed answer raises."""


@dataclass(frozen=True)
class Server:
    """A server and a model on it. The key is read from `key_variable` and is never printed or stored.

    `timeout`: seconds that an answer may take from its first byte to its last, and to begin; `retries`: further tries
    after a server error, a rate limit or a lost connection, with growing pauses.
    """

    base_url: str
    model: str
    key_variable: str = "OPENAI_API_KEY"
    timeout: float = 120.0
    retries: int = 3
    temperature: float = 0.7

    def __post_init__(self) -> None:
        url = _split(self.base_url)
        if url is None or url.scheme not in ("http", "https") or not url.hostname:
            raise ModelError("--llm-base-url: expected http://HOST/... or https://HOST/...")
        if url.username is not None or url.password is not None:
            raise ModelError(f"--llm-base-url: leave user and password out; a key goes into {self.key_variable}")

    @property
    def place(self) -> str:
        """The server for people: its address without a query, which may hold a secret."""
        url = _split(self.base_url)
        return f"{url.scheme}://{url.netloc}{url.path}" if url else ""

    @property
    def key(self) -> str:
        """The key; `none` where there is none, as local servers need none. Raises ModelError for an impossible one."""
        key = os.environ.get(self.key_variable, "").strip()
        if not all("!" <= c <= "~" for c in key):
            raise ModelError(f"the key in {self.key_variable} has characters that no key has; set a valid one")
        return key or "none"


def _split(url: str) -> Any:
    try:
        found = urlsplit(url)
        _ = found.port
    except ValueError:
        return None
    return found


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


class _ServerFailed(NoAnswer):
    """The server answers with a status of 5xx."""


class Client:
    """Asks a server, within a spend; equal requests are answered from the cache folder, if one is given."""

    def __init__(self, server: Server, spend: Spend, cache: Path | None = None) -> None:
        self.server, self.spend, self.cache = server, spend, cache
        self._secret = server.key
        self._asks = 0  # which of the ways of asking the server takes
        self._works = False  # it took one
        self._client: Any = None

    def ask(self, messages: Sequence[Mapping[str, str]], answer: type[Answer], *, salt: str = "") -> Answer:
        """Ask for an answer of a type. `salt` tells equal requests apart that shall be asked anew.

        Raises NoAnswer where this request gave nothing usable, OutOfBudget, ModelError where no request can succeed.
        """
        key = self._cache_key(messages, answer, salt)
        text = self._cached(key)
        if text is None:
            text = self._request(messages, answer)
            self._store(key, text)
        else:
            self.spend.count_cached()
        said = parse_answer(text, answer)
        # a server that echoes the key must not get it into a port or a report; after parsing, as JSON can spell it anew
        return answer.model_validate_json(self.redact(said.model_dump_json()))

    def _openai(self) -> Any:
        if self._client is None:
            try:
                import openai
            except ImportError:
                raise ModelError("the package openai is not installed: pip install 'gpuport[agents]'") from None
            from .limits import bounding

            s = self.server
            # a compressed body would have no bound
            http = openai.DefaultHttpxClient(
                event_hooks={"response": [bounding(s.timeout)]}, headers={"Accept-Encoding": "identity"}
            )
            self._client = openai.OpenAI(
                base_url=s.base_url, api_key=self._secret, timeout=s.timeout, max_retries=s.retries, http_client=http,
                default_headers={"Accept-Encoding": "identity"},
            )  # fmt: skip
        return self._client

    def _ways(self, answer: type[Lenient]) -> list[dict[str, Any]]:
        """Ways of asking, the best first; a server that rejects one, or fails at it from the start, gets the next."""
        schema = {"name": answer.__name__, "schema": answer.model_json_schema(), "strict": False}
        structured = {"response_format": {"type": "json_schema", "json_schema": schema}}
        usage = {"stream_options": {"include_usage": True}}
        most = answer.most_tokens
        plain = {**usage, "temperature": self.server.temperature, "max_tokens": most}
        return [
            {**plain, **structured},
            # models that think before they speak know neither a temperature nor max_tokens, and their thoughts count
            {**usage, **structured, "max_completion_tokens": 4 * most},
            {**plain, "response_format": {"type": "json_object"}},
            plain,
            {},
        ]

    def _request(self, messages: Sequence[Mapping[str, str]], answer: type[Lenient]) -> str:
        client = self._openai()
        import openai

        from .limits import within

        ways, way = self._ways(answer), self._asks
        while True:
            given = sum(len(m["content"]) for m in messages) // CHARS_PER_TOKEN
            self.spend.reserve(given)
            limit = self.server.timeout * (self.server.retries + 1) + BACKOFF
            allowed = min(limit, self.spend.seconds_left)
            call = partial(self._stream, client, messages, ways[way], given)
            try:
                why = f"the answer did not end within {allowed:.3g} s"
                text = within(allowed, call, why, self.spend.cancelled)
            except _ServerFailed:
                # llama.cpp's Python server answers 500 to a format that it does not know
                if self._works or way + 1 == len(ways):
                    raise
                way += 1
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                if way + 1 == len(ways):
                    raise NoAnswer(f"the server rejects the request: {self.redact(_first_line(error))}") from None
                way += 1
            else:
                self._asks, self._works = max(self._asks, way), True
                return text

    def _stream(self, client: Any, messages: Sequence[Mapping[str, str]], more: dict[str, Any], given: int) -> str:
        import httpx
        import openai

        parts: list[str] = []
        size, usage, begun = 0, None, False
        room = self.spend.output_left() * CHARS_PER_TOKEN
        deadline = time.monotonic() + self.server.timeout
        try:
            stream = client.chat.completions.create(
                model=self.server.model, messages=list(messages), stream=True, **more
            )
            begun = True
            with stream:
                for chunk in stream:
                    usage = getattr(chunk, "usage", None) or usage
                    for choice in getattr(chunk, "choices", None) or ():
                        piece = getattr(getattr(choice, "delta", None), "content", None) or ""
                        if not isinstance(piece, str):
                            raise NoAnswer("the answer is no text")
                        parts.append(piece)
                        size += len(piece)
                    if size > MAX_CHARS:
                        raise NoAnswer(f"the answer is longer than {MAX_CHARS} characters")
                    if size > room:
                        raise OutOfBudget("the budget is spent in mid-answer")
                    if time.monotonic() > deadline:
                        raise NoAnswer(f"the answer did not end within {self.server.timeout:g} s")
        except (openai.AuthenticationError, openai.PermissionDeniedError):
            raise ModelError(self._rejected()) from None
        except openai.NotFoundError as error:
            raise ModelError(f"{self.server.place}: {self.redact(_first_line(error))}") from None
        except (openai.BadRequestError, openai.UnprocessableEntityError):
            raise
        except openai.InternalServerError as error:
            raise _ServerFailed(self.redact(f"{type(error).__name__}: {_first_line(error)}")) from None
        except openai.APIConnectionError as error:
            if isinstance(error.__cause__, NoAnswer):  # from the bound on its body
                raise error.__cause__ from None
            cause = f" ({_first_line(error.__cause__)})" if error.__cause__ else ""
            raise NoAnswer(self.redact(f"{type(error).__name__}: {_first_line(error)}{cause}")) from None
        except (openai.OpenAIError, httpx.HTTPError, httpx.StreamError, *_MALFORMED) as error:
            raise NoAnswer(self.redact(f"{type(error).__name__}: {_first_line(error)}")) from None
        finally:
            counted = (
                _tokens(usage, "prompt_tokens", given) if begun else 0,
                _tokens(usage, "completion_tokens", min(size, MAX_CHARS) // CHARS_PER_TOKEN),
            )
            self.spend.settle(given, *counted)
        # what UTF-8 has no code for cannot be kept, nor shown
        text = "".join(parts).encode("utf-8", "replace").decode("utf-8")
        if not text.strip():
            raise NoAnswer("the answer is empty")
        return text

    def _rejected(self) -> str:
        if self._secret == "none":
            return f"{self.server.place} wants a key: set {self.server.key_variable}"
        return f"{self.server.place} rejects the key in {self.server.key_variable}; set a valid one"

    def redact(self, text: str) -> str:
        """Return a text without the key, as it is and as JSON spells it.

        A short word is no secret but what local servers are given for a key; kernels and traces hold such words.
        """
        key = self._secret
        if len(key) <= 4 or (key.isalpha() and len(key) < 12):
            return text
        return text.replace(key, "[key]").replace(json.dumps(key)[1:-1], "[key]")

    def _cache_key(self, messages: Sequence[Mapping[str, str]], answer: type[Lenient], salt: str) -> str:
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
        except (OSError, ValueError):
            return None

    def _store(self, key: str, text: str) -> None:
        if self.cache is None:
            return
        with contextlib.suppress(OSError):  # a full disk costs the next run a request
            self.cache.mkdir(parents=True, exist_ok=True)
            part = self.cache / f"{key}.{os.getpid()}.part"
            part.write_text(self.redact(text), encoding="utf-8")
            part.replace(self.cache / f"{key}.txt")


def _tokens(usage: Any, name: str, estimate: int) -> int:
    """What the server counts, if it can be true.

    A count far below the text itself would buy an endless budget; one beyond all answers has no price.
    """
    said = getattr(usage, name, None)
    return said if isinstance(said, int) and estimate // 8 <= said <= MOST_TOKENS else estimate


def _first_line(error: BaseException) -> str:
    """What an error says, without what would move a terminal's cursor: a server can write some of it."""
    lines = str(error).strip().splitlines()
    return one_line(lines[0], 300) if lines else type(error).__name__
