"""Many small requests to a store at the same time, with their results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_THREADS = 16
"""The requests wait for the network, not for the CPU."""
_AHEAD = 4
"""Requests per thread that are started before the next result is taken."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_order(
    action: Callable[[Item], Result], items: Iterable[Item], threads: int = _THREADS
) -> Iterator[Result]:
    """`map` in threads: results in the order of the items, and a bounded number of both in memory.

    Raises:
        Exception: the first error of an action, in the order of the items; later ones are cancelled.
    """
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(action, item))
                if len(waiting) >= threads * _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
