"""The shared lock, and which rows of a unit are reported and run alone."""

from __future__ import annotations

import asyncio

import pytest

from dlcot_ray.judging.protocol import JudgeDied, JudgeError
from dlcot_ray.work.rows.watch import RowWatch, SharedLock


def test_an_exclusive_holder_waits_for_the_others_and_keeps_them_out() -> None:
    inside: list[str] = []
    crowds: list[tuple[str, ...]] = []

    async def visit(lock: SharedLock, name: str, exclusive: bool) -> None:
        async with lock.exclusive() if exclusive else lock.shared():
            inside.append(name)
            await asyncio.sleep(0.01)
            crowds.append(tuple(sorted(inside)))
            inside.remove(name)

    async def run() -> None:
        lock = SharedLock()
        async with asyncio.TaskGroup() as group:
            for name, exclusive in (("a", False), ("b", False), ("X", True), ("c", False), ("d", False)):
                group.create_task(visit(lock, name, exclusive))

    asyncio.run(run())
    assert ("X",) in crowds
    assert ("a", "b") in crowds
    assert ("c", "d") in crowds


def test_a_row_is_reported_once_and_ends_unless_the_judge_died_over_it() -> None:
    reported: list[tuple[str, str]] = []
    finished: list[int] = []

    async def before(row: str) -> None:
        reported.append(("before", row))

    async def after(row: str) -> None:
        reported.append(("after", row))

    watch = RowWatch(on_finished=lambda: finished.append(1), before_row=before, after_row=after)

    async def run(error: Exception | None, row: str) -> None:
        async with watch.running(row), watch.running(row):
            if error:
                raise error

    asyncio.run(run(None, "fine"))
    with pytest.raises(JudgeError):
        asyncio.run(run(JudgeError("no"), "failed"))
    with pytest.raises(JudgeDied):
        asyncio.run(run(JudgeDied("dead"), "poison"))
    assert reported == [
        ("before", "fine"),
        ("after", "fine"),
        ("before", "failed"),
        ("after", "failed"),
        ("before", "poison"),
    ]
    assert finished


def test_suspect_rows_run_one_at_a_time() -> None:
    running: set[str] = set()
    met: dict[str, set[str]] = {}

    async def run() -> None:
        watch = RowWatch(suspect_rows=frozenset({"s", "t"}))

        async def visit(row: str) -> None:
            async with watch.running(row):
                running.add(row)
                await asyncio.sleep(0.01)
                met[row] = set(running)
                running.discard(row)

        await asyncio.gather(*(visit(row) for row in ("a", "b", "s", "t", "c")))

    asyncio.run(run())
    assert met["s"] == {"s"}
    assert met["t"] == {"t"}
    assert met["a"] == {"a", "b"}
