"""How often a server is asked, and what that may cost.

In: requests per minute, prices, a budget. Out: waiting, or the end of the job. Both belong to one worker.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from dlcot_ray.core.annotation import Tokens
from dlcot_ray.judging.protocol import JudgeUnavailable


@dataclass(frozen=True, slots=True)
class Prices:
    """Per million tokens, in any one currency. `cached` is the price of prompt tokens from the cache."""

    input: float = 0.0
    cached: float = 0.0
    output: float = 0.0

    def of(self, tokens: Tokens) -> float:
        """What a request costs."""
        parts = tokens.prefill * self.input + tokens.cached * self.cached + tokens.decode * self.output
        return parts / 1e6


@dataclass(slots=True)
class Budget:
    """Adds up what requests cost. `most` None: no limit."""

    prices: Prices
    most: float | None
    spent: float = 0.0

    def check(self) -> None:
        """Raise JudgeUnavailable, which ends the job, where the budget is spent."""
        if self.most is not None and self.spent >= self.most:
            raise JudgeUnavailable(
                f"the judge has spent {self.spent:.4f} of its budget of {self.most:g}",
                "finished units are kept: raise judge_options.max_cost and start the job again",
            )

    def add(self, tokens: Tokens) -> None:
        """Count one request."""
        self.spent += self.prices.of(tokens)


@dataclass(slots=True)
class Pace:
    """At most `per_minute` requests a minute, evenly spaced; None: no limit. Belongs to one event loop."""

    per_minute: float | None
    _next: float = field(default=0.0)

    async def turn(self) -> None:
        """Wait for the next free moment."""
        if self.per_minute is None:
            return
        now = time.monotonic()
        at = max(now, self._next)
        self._next = at + 60.0 / self.per_minute
        await asyncio.sleep(at - now)
