"""An OpenAI-compatible server over real HTTP whose answers a test scripts."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Script = Callable[[dict[str, Any]], Any]


@dataclass
class Scripted:
    """What the server saw; `script` maps a request's JSON to what it does.

    It returns a string (the answer), an int (an HTTP error), bytes (raw, then the connection drops), a dict (JSON for the
    HTTP error in its key "status"), a function of the handler, or an iterator of strings (streamed one by one).
    """

    script: Script
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


@contextmanager
def serve(script: Script) -> Iterator[Scripted]:
    state = Scripted(script)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            pass

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.requests.append(body)
            state.keys.append(self.headers.get("Authorization", ""))
            answer = state.script(body)
            if isinstance(answer, int):
                self._send(
                    answer, json.dumps({"error": {"message": f"scripted {answer}", "type": "scripted"}}).encode()
                )
                return
            if isinstance(answer, dict):
                self._send(answer["status"], json.dumps({"error": answer["error"]}).encode())
                return
            if callable(answer):
                with suppress(OSError):
                    answer(self)
                self.close_connection = True
                return
            if isinstance(answer, bytes):
                self.wfile.write(answer)
                self.close_connection = True
                self.connection.close()
                return
            pieces = iter([answer]) if isinstance(answer, str) else answer
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            try:
                for piece in pieces:
                    self._event({"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]})
                self._event(
                    {"choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}}
                )
                self.wfile.write(b"data: [DONE]\n\n")
            except (BrokenPipeError, ConnectionResetError):
                pass
            self.close_connection = True

        def _event(self, fields: dict[str, Any]) -> None:
            chunk = {"id": "1", "object": "chat.completion.chunk", "created": int(time.time()), "model": "m", **fields}
            self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            self.wfile.flush()

        def _send(self, status: int, payload: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
