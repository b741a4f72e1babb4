"""Admission by KV tokens: how many prompts may be on the engine at once.

In: the tokens that a trace needs. Out: permission, once they are free. The number of rows says nothing about
memory: thirty short traces fit where three long ones do not. An engine with more than it can hold evicts the
prefixes that the next questions need, and prefills them again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class TokenBudget:
    """`capacity` tokens, handed out in order of arrival, so that large requests are not overtaken forever.

    Belongs to one event loop. A request larger than the capacity waits until it is alone.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = self._free = max(capacity, 1)
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def hold(self, tokens: int) -> AsyncIterator[None]:
        """Wait for `tokens`, and give them back at the end."""
        wanted = min(max(tokens, 0), self._capacity)
        await self._take(wanted)
        try:
            yield
        finally:
            self._free += wanted
            self._wake()

    async def _take(self, wanted: int) -> None:
        if not self._waiting and wanted <= self._free:
            self._free -= wanted
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (wanted, turn)
        self._waiting.append(entry)
        try:
            await turn
        except asyncio.CancelledError:
            if entry in self._waiting:
                self._waiting.remove(entry)
            elif turn.done() and not turn.cancelled():
                self._free += wanted
            self._wake()
            raise

    def _wake(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._free:
            wanted, turn = self._waiting.popleft()
            if not turn.cancelled():
                self._free -= wanted
                turn.set_result(None)
