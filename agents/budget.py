"""What a run may spend, and what it has spent."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from .errors import ModelError, OutOfBudget


@dataclass(frozen=True)
class Budget:
    """Limits of a run. `max_cost` is in the currency of the prices, which are per million tokens.

    Raises ModelError for a limit that is no number from 0, named as the command's options are.
    """

    max_candidates: int = 24
    max_tokens: int = 400_000
    max_seconds: float = 900.0
    max_cost: float | None = None
    input_price: float = 0.0
    output_price: float = 0.0

    def __post_init__(self) -> None:
        limits = {
            "prices": min(self.input_price, self.output_price), "max-candidates": self.max_candidates,
            "max-tokens": self.max_tokens, "max-seconds": self.max_seconds, "max-cost": self.max_cost or 0.0,
        }  # fmt: skip
        for name, value in limits.items():
            if not 0 <= value < float("inf"):
                raise ModelError(f"--{name}: expected a number from 0, found {value:g}")
        if self.max_cost is not None and self.input_price == self.output_price == 0:
            raise ModelError("--max-cost: give --prices input,output, or nothing has a cost")


@dataclass
class Spend:
    """What has been spent; safe to share between threads.

    `pending` tokens are those of prompts that are being answered: they count as spent, so that workers side by side
    cannot overrun the budget together. `cancelled`: the user wants it to end; no time is left then.
    """

    budget: Budget
    candidates: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    requests: int = 0
    cached: int = 0
    pending: int = 0
    started: float = field(default_factory=time.monotonic)
    cancelled: threading.Event = field(default_factory=threading.Event)
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

    @property
    def seconds_left(self) -> float:
        """Seconds that the budget still allows."""
        return 0.0 if self.cancelled.is_set() else self.budget.max_seconds - self.seconds

    def exhausted(self, more: int = 0) -> str:
        """Say which limit is reached, or would be by a prompt of `more` tokens; empty if none is."""
        b = self.budget
        ahead = self.pending + more
        if self.tokens + ahead >= b.max_tokens:
            return f"{b.max_tokens} tokens"
        if self.seconds_left <= 0:
            return f"{b.max_seconds:g} s"
        if b.max_cost is not None and self.cost + ahead * b.input_price / 1e6 >= b.max_cost:
            return f"a cost of {b.max_cost:g}"
        return ""

    def output_left(self) -> int:
        """Return how many more tokens the answers at hand may have."""
        b = self.budget
        left = b.max_tokens - self.tokens - self.pending
        if b.max_cost is not None and b.output_price > 0:
            money = b.max_cost - self.cost - self.pending * b.input_price / 1e6
            left = min(left, int(1e6 * money / b.output_price))
        return max(0, left)

    def check(self) -> None:
        """Raise OutOfBudget if a limit is reached."""
        if why := self.exhausted():
            raise OutOfBudget(f"the budget of {why} is spent")

    def reserve(self, prompt: int) -> None:
        """Set a prompt's tokens aside until `settle`; raises OutOfBudget if they do not fit."""
        with self._lock:
            if why := self.exhausted(prompt):
                raise OutOfBudget(f"the budget of {why} is spent")
            self.pending += prompt

    def settle(self, prompt: int, input_tokens: int, output_tokens: int) -> None:
        """Count a request whose prompt was reserved."""
        with self._lock:
            self.pending -= prompt
            self.requests += 1
            self.input_tokens += input_tokens
            self.output_tokens += output_tokens

    def count_cached(self) -> None:
        """Count a request that the cache answered."""
        with self._lock:
            self.cached += 1

    def take_candidate(self) -> int:
        """Count a candidate and return its number from 1; raises OutOfBudget."""
        with self._lock:
            self.check()
            if self.candidates >= self.budget.max_candidates:
                raise OutOfBudget(f"the budget of {self.budget.max_candidates} candidates is spent")
            self.candidates += 1
            return self.candidates

    def restore(self, candidates: int, spent: dict[str, float]) -> None:
        """Continue an earlier run's counts, as `as_dict` gave them."""
        with self._lock:
            self.candidates += candidates
            self.input_tokens += int(spent.get("input", 0))
            self.output_tokens += int(spent.get("output", 0))
            self.requests += int(spent.get("requests", 0))
            self.cached += int(spent.get("cached", 0))
            self.started -= float(spent.get("seconds", 0.0))

    def as_dict(self) -> dict[str, float]:
        """Return what was spent, for the trace."""
        return {
            "input": self.input_tokens, "output": self.output_tokens, "requests": self.requests,
            "cached": self.cached, "seconds": round(self.seconds, 3),
        }  # fmt: skip


def parse_budget(candidates: int, tokens: int, seconds: float, cost: float | None, prices: str) -> Budget:
    """Return a budget from the command's options; `prices` is `input,output`. Raises ModelError."""
    try:
        price_in, price_out = (float(p) for p in prices.split(","))
    except ValueError:
        raise ModelError(f"--prices: expected two numbers, input,output, found {prices!r}") from None
    return Budget(candidates, tokens, seconds, cost, price_in, price_out)
