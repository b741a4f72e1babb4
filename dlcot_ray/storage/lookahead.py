"""Many small requests to a store at once, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_THREADS = 16
"""The requests wait for the network, not for the CPU."""
_AHEAD = 4
"""Requests per thread that are made before the first answer is needed."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    action: Callable[[Item], Result], items: Iterable[Item], threads: int = _THREADS
) -> Iterator[Result]:
    """`map` in threads, in order, with bounded look-ahead: neither items nor results pile up."""
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
