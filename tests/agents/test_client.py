"""The client alone: what a server can do to it, what it costs, and that the key stays where it is."""

from __future__ import annotations

import json
import logging
import time
import traceback
from pathlib import Path
from typing import Any

import pytest
from gpuport.agents.answers import Brief, KernelAnswer, Plan, one_line, parse_answer
from gpuport.agents.budget import Budget, Spend, parse_budget
from gpuport.agents.client import Client, Server, server_from_environment
from gpuport.agents.errors import ModelError, NoAnswer, OutOfBudget
from scripted_server import serve
from twice import KEY

ASK = [{"role": "user", "content": "hello " * 10}]


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def client(url: str, cache: Path | None = None, budget: Budget | None = None, timeout: float = 1.0) -> Client:
    return Client(Server(url, "m", timeout=timeout, retries=0), Spend(budget or Budget()), cache)


def echo(status: int) -> Any:
    return {"status": status, "error": {"message": f"Incorrect key: {KEY}, sent as Bearer {KEY}", "type": KEY}}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 503, 0])
def test_the_key_is_in_no_error_and_no_log(status: int, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    caplog.set_level(logging.DEBUG)
    with serve(lambda _: echo(status)) as server:
        url = server.url if status else "http://127.0.0.1:9/v1"
        c = client(url, tmp_path)
        with pytest.raises((NoAnswer, ModelError)) as error:
            c.ask(ASK, Brief)
    kind = ModelError if status in (401, 403, 404) else NoAnswer
    assert issubclass(error.type, kind)
    assert "\n" not in str(error.value)
    shown = [str(error.value), repr(error.value), *traceback.format_exception(error.value), caplog.text]
    shown += [repr(c), repr(c.server), repr(c.spend), repr(vars(c.server))]
    assert not [s for s in shown if KEY in s]
    assert all(KEY in k for k in server.keys)


def test_the_key_is_not_in_the_cache(tmp_path: Path) -> None:
    said = json.dumps({"points": [f"your key is {KEY}"]})
    with serve(lambda _: said) as server:
        c = client(server.url, tmp_path)
        first = c.ask(ASK, Brief)
        again = c.ask(ASK, Brief)
        assert len(server.requests) == 1
        c.ask(ASK, Brief, salt="anew")
        assert len(server.requests) == 2
    assert (c.spend.requests, c.spend.cached) == (2, 1)
    assert first.points == again.points == ["your key is [key]"]
    assert not [f for f in tmp_path.rglob("*") if f.is_file() and KEY in f.read_text()]


def test_a_word_that_stands_for_a_key_changes_no_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "local")
    said = json.dumps({"source": "int l = get_local_id(0);"})
    with serve(lambda _: said) as server:
        c = client(server.url, tmp_path)
        assert [c.ask(ASK, KernelAnswer).source for _ in range(2)] == ["int l = get_local_id(0);"] * 2


def test_a_key_that_is_none_and_an_address_with_secrets_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for bad in ("sk-1\n2345678", "sk-“quoted”", "sk 12345678"):
        monkeypatch.setenv("OPENAI_API_KEY", bad)
        with pytest.raises(ModelError, match="characters that no key has") as error:
            client("http://127.0.0.1:9/v1")
        assert bad not in str(error.value)
    monkeypatch.setenv("OPENAI_API_KEY", f" {KEY}\n")
    assert Server("http://h/v1", "m").key == KEY
    for url in ("http://me:hunter2@h/v1", "ftp://h/v1", "h/v1", "http://[::1/v1", "http:///v1"):
        with pytest.raises(ModelError) as error:
            Server(url, "m")
        assert "hunter2" not in str(error.value)
    assert "hunter2" not in Server("http://h/v1?key=hunter2", "m").place
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(ModelError, match="no language-model server"):
        server_from_environment(None, "m")
    with serve(lambda _: 401) as server, pytest.raises(ModelError, match="wants a key: set OPENAI_API_KEY"):
        client(server.url).ask(ASK, Brief)


def test_no_server_can_hold_a_request_for_ever() -> None:
    def headers(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            handler.wfile.write(b"X-A: b\r\n")
            handler.wfile.flush()
            time.sleep(0.05)

    def error_body(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 418 No\r\nConnection: close\r\n\r\n")
        while True:
            handler.wfile.write(b"x" * (1 << 16))

    for answer in (headers, error_body):
        with serve(lambda _, answer=answer: answer) as server:
            c = client(server.url, budget=Budget(max_seconds=1.5))
            started = time.monotonic()
            with pytest.raises(NoAnswer, match=r"did not end|longer than"):
                c.ask(ASK, Brief)
            assert time.monotonic() - started < 20


def test_a_budget_is_kept_by_workers_side_by_side_and_by_servers_that_lie() -> None:
    spend = Spend(Budget(max_tokens=100))
    spend.reserve(60)
    with pytest.raises(OutOfBudget, match="100 tokens"):
        spend.reserve(60)
    spend.settle(60, 10, 5)
    spend.reserve(60)
    assert (spend.tokens, spend.pending) == (15, 60)

    def lie(handler: Any) -> None:
        event = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m"}
        said = {**event, "choices": [{"index": 0, "delta": {"content": "y" * 8000}, "finish_reason": None}]}
        usage = {**event, "choices": [], "usage": {"prompt_tokens": -(10**9), "completion_tokens": -5}}
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        handler.wfile.write(f"data: {json.dumps(said)}\n\ndata: {json.dumps(usage)}\n\ndata: [DONE]\n\n".encode())

    with serve(lambda _: lie) as server:
        c = client(server.url)
        with pytest.raises(NoAnswer, match="no Brief"):
            c.ask(ASK, Brief)
        assert c.spend.output_tokens == 2000
        assert c.spend.input_tokens > 0
        small = client(server.url, budget=Budget(max_tokens=500))
        with pytest.raises(OutOfBudget, match="mid-answer"):
            small.ask(ASK, Brief)
    costly = Spend(Budget(max_cost=1.0, input_price=2.0, output_price=4.0))
    costly.settle(0, 250_000, 125_000)
    assert costly.cost == 1.0
    assert "a cost of 1" in costly.exhausted()


@pytest.mark.parametrize(
    ("changes", "why"),
    [({"prices": "1"}, "two numbers"), ({"prices": "-1,1"}, "--prices"), ({"seconds": float("nan")}, "--max-seconds"),
     ({"cost": 1.0}, "--max-cost"), ({"tokens": -1}, "--max-tokens"), ({"seconds": float("inf")}, "--max-seconds")],
)  # fmt: skip
def test_a_wrong_budget_is_one_line(changes: dict[str, Any], why: str) -> None:
    options: dict[str, Any] = {"candidates": 1, "tokens": 1, "seconds": 1.0, "cost": None, "prices": "0,0"}
    with pytest.raises(ModelError, match=why):
        parse_budget(**{**options, **changes})
    with pytest.raises(ModelError, match="--max-seconds"):
        Budget(max_seconds=float("nan"))


@pytest.mark.parametrize(
    "text",
    ["{" * 100_000, '{"a":' * 50_000, '{"source": ' + "[" * 100_000, '{"source": 1' + "0" * 150_000 + "}",
     '{"source": "\\ud800"}', '{"source": ""}', '{"source": null}', '{"source": NaN}', "[" * 100_000, "```\n" * 40_000,
     "```c\n" + "x" * 150_000 + "\n```", '{"source": "' + "x" * 100_001 + '"}', "\x00" * 1000, "}{", "{}"],
    ids=range(15),
)  # fmt: skip
def test_bombs_are_no_answers(text: str) -> None:
    started = time.monotonic()
    with pytest.raises(NoAnswer):
        parse_answer(text, KernelAnswer)
    assert time.monotonic() - started < 10


def test_answers_are_read_from_json_fences_and_prose() -> None:
    code = "__kernel void k() {}\n"
    whole = json.dumps({"source": code, "idea": "i", "gate": "off", "tolerance": 1e9})
    for text in (whole, f"Sure!\n```json\n{whole}\n```\nBye", f"Well: {whole} there.", f"```c\n{code}```"):
        found = parse_answer(text, KernelAnswer)
        assert found.source == code
        assert set(found.model_dump()) == {"source", "header", "idea"}  # what else a model says is dropped
    thought = "<think>\n```c\nvoid wrong() { if (1) {} }\n```\n</think>\n"
    nulls = json.dumps({"source": code, "idea": None, "header": None})
    for text in (f"{thought}{whole}", f"{thought}So: {whole}", f"{thought}```c\n{code}```", nulls):
        assert parse_answer(text, KernelAnswer).source == code
    aside = code + "// </think>\n"
    assert parse_answer(json.dumps({"source": aside}), KernelAnswer).source == aside
    assert parse_answer('{"strategies": ["a"]}', Plan).strategies == ["a"]
    broken = whole.replace("\\n", "\n")  # a line's end inside a string, as models write it
    assert parse_answer(f"```json\n{broken}\n```", KernelAnswer).source == code
    assert len(parse_answer(json.dumps({"source": code, "idea": "i" * 9999}), KernelAnswer).idea) == 2000
    assert len(parse_answer(json.dumps({"points": ["p"] * 99}), Brief).points) == 30
    assert len(parse_answer(json.dumps({"strategies": ["s"] * 99}), Plan).strategies) == 16
    with pytest.raises(NoAnswer):  # JSON that cannot be read is no kernel
        parse_answer('```json\n{"source": "void k() {}\n```', KernelAnswer)
    assert one_line("a\x1b[31m\n\u202eb\tc" + "d" * 99, 12) == "a [31m b cd…"


def event(data: str) -> Any:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
    return lambda handler: handler.wfile.write(head + f"data: {data}\n\ndata: [DONE]\n\n".encode())


@pytest.mark.parametrize(
    "data",
    [
        "[" * 200_000,
        '{"a":' * 200_000,
        "1" + "0" * 10_000,
        '{"choices": 5}',
        '{"error": {"message": "\\u001b[31mred"}}',
    ],
    ids=range(5),
)
def test_malformed_events_are_no_answers(data: str) -> None:
    with serve(lambda _: event(data)) as server, pytest.raises(NoAnswer) as error:
        client(server.url).ask(ASK, Brief)
    assert str(error.value).isprintable()


def test_a_count_beyond_all_answers_is_an_estimate() -> None:
    said: dict[str, Any] = {"id": "1", "object": "c", "created": 0, "model": "m"}
    said["choices"] = [{"index": 0, "delta": {"content": '{"points": ["a"]}'}, "finish_reason": None}]
    counts = f'{{"prompt_tokens": 7, "completion_tokens": 1{"0" * 4000}}}'
    with serve(lambda _: event(json.dumps(said)[:-1] + f', "usage": {counts}}}')) as server:
        c = client(server.url, budget=Budget(max_cost=1.0, input_price=1.0, output_price=1.0))
        assert c.ask(ASK, Brief).points == ["a"]
    assert (c.spend.input_tokens, c.spend.output_tokens) == (7, 4)
    assert c.spend.cost < 1


def test_what_utf_8_has_no_code_for_is_replaced(tmp_path: Path) -> None:
    def script(_body: Any) -> Any:
        return lambda handler: handler.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
            b'data: {"id":"1","object":"c","created":0,"model":"m","choices":[{"index":0,"finish_reason":null,'
            b'"delta":{"content":"{\\"points\\": [\\"\\ud800\\"]}"}}]}\n\ndata: [DONE]\n\n'
        )

    with serve(script) as server:
        assert client(server.url, tmp_path).ask(ASK, Brief).points == ["?"]
