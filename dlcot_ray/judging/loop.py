"""An event loop on a thread of its own, and the time in which it has work."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """An event loop on a daemon thread, for an object that is bound to one loop.

    An actor of Ray is constructed inside the actor's own loop. An engine that binds itself to that loop never
    wakes callers that wait in another one.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(self, make: Callable[[], T]) -> T:
        """Start the loop and return what `make` gives, called inside it. Stops the loop where it raises.

        Raises:
            RuntimeError: `make` called `sys.exit`.
        """

        async def inside() -> T:
            try:
                return make()
            except SystemExit as error:
                # A SystemExit would end the loop and not reach the caller.
                raise RuntimeError(f"the engine gave up ({error})") from error

        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=self._name, daemon=True)
        self._thread.start()
        try:
            return asyncio.run_coroutine_threadsafe(inside(), self._loop).result()
        except BaseException:
            self.stop(30.0)
            raise

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Await `work` on the loop, from another one. Cancelling the caller cancels the work."""
        assert self._loop is not None
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` on the loop and wait for it, from a thread that may have a running loop of its own."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def stop(self, timeout_s: float) -> None:
        """Cancel what still runs and end the thread. Safe to call twice."""
        if self._loop is not None and self._thread is not None:
            asyncio.run_coroutine_threadsafe(_cancel_all(), self._loop).result(timeout_s)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout_s)
            self._loop.close()
            self._loop = self._thread = None


class BusyClock:
    """Wall seconds during which at least one holder is inside. Belongs to one event loop."""

    def __init__(self) -> None:
        self._inside = 0
        self._since = 0.0
        self._total = 0.0

    @property
    def seconds(self) -> float:
        """The total, up to now."""
        return self._total + (time.monotonic() - self._since if self._inside else 0.0)

    def __enter__(self) -> None:
        if not self._inside:
            self._since = time.monotonic()
        self._inside += 1

    def __exit__(self, *_: object) -> None:
        self._inside -= 1
        if not self._inside:
            self._total += time.monotonic() - self._since


async def _cancel_all() -> None:
    """Cancel the other tasks of the running loop: tasks left pending log errors when it closes."""
    rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
