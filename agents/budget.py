"""What a run may spend, and what it has spent."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from .errors import ModelError, OutOfBudget


@dataclass(frozen=True)
class Budget:
    """Limits of a run. `max_cost` is in the currency of the prices, which are per million tokens."""

    max_candidates: int = 24
    max_tokens: int = 400_000
    max_seconds: float = 900.0
    max_cost: float | None = None
    input_price: float = 0.0
    output_price: float = 0.0


@dataclass
class Spend:
    """What has been spent; safe to share between threads."""

    budget: Budget
    candidates: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    requests: int = 0
    cached: int = 0
    started: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def tokens(self) -> int:
        """Tokens in both directions."""
        return self.input_tokens + self.output_tokens

    @property
    def cost(self) -> float:
        """Cost of the tokens at the budget's prices."""
        b = self.budget
        return (self.input_tokens * b.input_price + self.output_tokens * b.output_price) / 1e6

    @property
    def seconds(self) -> float:
        """Wall seconds since the start."""
        return time.monotonic() - self.started

    def exhausted(self) -> str:
        """Say which limit on requests is reached; empty if none is."""
        b = self.budget
        if self.tokens >= b.max_tokens:
            return f"{b.max_tokens} tokens"
        if self.seconds >= b.max_seconds:
            return f"{b.max_seconds:g} s"
        if b.max_cost is not None and self.cost >= b.max_cost:
            return f"a cost of {b.max_cost:g}"
        return ""

    def check(self) -> None:
        """Raise OutOfBudget if a limit is reached."""
        if why := self.exhausted():
            raise OutOfBudget(f"the budget of {why} is spent")

    def take_candidate(self) -> int:
        """Count a candidate and return its number from 1; raises OutOfBudget."""
        with self._lock:
            self.check()
            if self.candidates >= self.budget.max_candidates:
                raise OutOfBudget(f"the budget of {self.budget.max_candidates} candidates is spent")
            self.candidates += 1
            return self.candidates

    def add(self, input_tokens: int, output_tokens: int, *, cached: bool = False) -> None:
        """Count a request."""
        with self._lock:
            self.requests += 1
            if cached:
                self.cached += 1
            else:
                self.input_tokens += input_tokens
                self.output_tokens += output_tokens

    def restore(self, candidates: int, input_tokens: int, output_tokens: int, seconds: float) -> None:
        """Continue an earlier run's counts."""
        with self._lock:
            self.candidates += candidates
            self.input_tokens += input_tokens
            self.output_tokens += output_tokens
            self.started -= seconds


def parse_budget(candidates: int, tokens: int, seconds: float, cost: float | None, prices: str) -> Budget:
    """Return a budget from the command's options; `prices` is `input,output`. Raises ModelError."""
    try:
        price_in, price_out = (float(p) for p in prices.split(","))
    except ValueError:
        raise ModelError(f"--prices: expected two numbers, input,output, found {prices!r}") from None
    if cost is not None and price_in == price_out == 0:
        raise ModelError("--max-cost: give --prices input,output, or nothing has a cost")
    return Budget(candidates, tokens, seconds, cost, price_in, price_out)
