"""Admission by tokens: never above capacity, in order, nothing lost to cancellation."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from dlcot_ray.judging.model.admission import TokenBudget


@given(st.lists(st.tuples(st.integers(0, 150), st.integers(0, 3), st.booleans()), max_size=30))
@settings(deadline=None)
def test_at_most_the_capacity_is_held_and_every_request_is_admitted(
    requests: list[tuple[int, int, bool]],
) -> None:
    async def main() -> None:
        budget = TokenBudget(100)
        held = 0
        served = []

        async def work(index: int, tokens: int, steps: int) -> None:
            nonlocal held
            async with budget.hold(tokens):
                held += min(tokens, 100)
                assert held <= 100
                try:
                    for _ in range(steps):
                        await asyncio.sleep(0)
                finally:
                    held -= min(tokens, 100)
            served.append(index)

        tasks = [asyncio.create_task(work(i, tokens, steps)) for i, (tokens, steps, _) in enumerate(requests)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        cancelled = {i for i, (_, _, cancel) in enumerate(requests) if cancel and not tasks[i].done()}
        for index in cancelled:
            tasks[index].cancel()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
        assert {*range(len(requests))} - cancelled <= {*served}
        await asyncio.wait_for(whole(budget), 5)

    asyncio.run(main())


async def whole(budget: TokenBudget) -> None:
    """Passes only if everything was given back."""
    async with budget.hold(100):
        pass


def test_a_large_request_is_not_overtaken() -> None:
    async def main() -> list[str]:
        budget = TokenBudget(10)
        order: list[str] = []

        async def work(name: str, tokens: int) -> None:
            async with budget.hold(tokens):
                order.append(name)
                await asyncio.sleep(0)

        await asyncio.gather(work("a", 6), work("large", 10), work("small", 1))
        return order

    assert asyncio.run(main()) == ["a", "large", "small"]


def test_a_cancelled_wait_lets_the_next_one_in() -> None:
    async def main() -> None:
        budget = TokenBudget(10)
        async with budget.hold(6):
            large = asyncio.create_task(whole_of(budget, 10))
            small = asyncio.create_task(whole_of(budget, 4))
            await asyncio.sleep(0)
            large.cancel()
            await asyncio.wait_for(small, 5)
        await asyncio.wait_for(whole_of(budget, 10), 5)

    asyncio.run(main())


async def whole_of(budget: TokenBudget, tokens: int) -> None:
    async with budget.hold(tokens):
        pass
