"""The gate between many and one, and what is told of rows under suspicion."""

from __future__ import annotations

import asyncio

import pytest

from dlcot_ray.judging.protocol import JudgeDied, JudgeError
from dlcot_ray.work.row_watch import Gate, RowWatch


def test_one_alone_waits_for_the_others_and_keeps_them_out() -> None:
    inside: list[str] = []
    crowds: list[tuple[str, ...]] = []

    async def visit(gate: Gate, name: str, alone: bool) -> None:
        async with gate.alone() if alone else gate.together():
            inside.append(name)
            await asyncio.sleep(0.01)
            crowds.append(tuple(sorted(inside)))
            inside.remove(name)

    async def run() -> None:
        gate = Gate()
        async with asyncio.TaskGroup() as group:
            for name, alone in (("a", False), ("b", False), ("X", True), ("c", False), ("d", False)):
                group.create_task(visit(gate, name, alone))

    asyncio.run(run())
    assert ("X",) in crowds
    assert ("a", "b") in crowds
    assert ("c", "d") in crowds


def test_a_row_is_told_once_and_ends_unless_the_judge_died_over_it() -> None:
    told: list[tuple[str, bool]] = []
    finished: list[int] = []

    async def tell(row: str, begins: bool) -> None:
        told.append((row, begins))

    watch = RowWatch(finished=lambda: finished.append(1), tell=tell)

    async def run(error: Exception | None, row: str) -> None:
        async with watch.at(row), watch.at(row):
            if error:
                raise error

    asyncio.run(run(None, "fine"))
    with pytest.raises(JudgeError):
        asyncio.run(run(JudgeError("no"), "failed"))
    with pytest.raises(JudgeDied):
        asyncio.run(run(JudgeDied("dead"), "killer"))
    assert told == [("fine", True), ("fine", False), ("failed", True), ("failed", False), ("killer", True)]
    assert finished


def test_suspects_are_taken_one_at_a_time() -> None:
    crowd: set[str] = set()
    met: dict[str, set[str]] = {}

    async def run() -> None:
        watch = RowWatch(suspects=frozenset({"s", "t"}))

        async def at(row: str) -> None:
            async with watch.at(row):
                crowd.add(row)
                await asyncio.sleep(0.01)
                met[row] = set(crowd)
                crowd.discard(row)

        await asyncio.gather(*(at(row) for row in ("a", "b", "s", "t", "c")))

    asyncio.run(run())
    assert met["s"] == {"s"}
    assert met["t"] == {"t"}
    assert met["a"] == {"a", "b"}
