"""A row that takes too long costs only itself, wherever it hangs."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pyarrow as pa
import pytest

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.policies.base import Drops, Policy
from dlcot_ray.core.policies.registry import parse_policy
from dlcot_ray.core.tokens import estimate_tokens
from dlcot_ray.core.trace import Trace
from dlcot_ray.inputs.columns import resolve_columns
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.judging.rules.judge import RulesJudge
from dlcot_ray.outputs.results import UnitOutput
from dlcot_ray.work.process import enhance_unit
from dlcot_ray.work.rows.budget import RowBudget, RowTooSlow, TimedJudge
from dlcot_ray.work.unit_input import UnitInput, UnitOptions
from tests.support import REPO

POLICY = parse_policy("keep_first")
LIMIT_S = 0.2


def forever() -> None:
    while True:
        try:
            int("7" * 10)
        except Exception:
            continue


def busy(seconds: float) -> None:
    begin = time.thread_time()
    while time.thread_time() - begin < seconds:
        pass


@pytest.mark.parametrize("limit", [None, 60.0])
def test_within_the_limit_nothing_changes(limit: float | None) -> None:
    budget = RowBudget(limit)
    assert budget.run(lambda: 42) == 42
    with pytest.raises(KeyError):
        budget.run(lambda: {"a": 1}["missing"])

    async def work() -> int:
        await asyncio.sleep(0)
        return 42

    async def fails() -> int:
        await asyncio.sleep(0)
        raise KeyError

    assert asyncio.run(budget.wait(work())) == 42
    with pytest.raises(KeyError):
        asyncio.run(budget.wait(fails()))


def test_an_endless_loop_ends_and_the_thread_goes_on() -> None:
    budget = RowBudget(LIMIT_S)
    for _ in range(3):
        with pytest.raises(RowTooSlow, match=r"row_seconds=0\.2 of CPU time"):
            budget.run(forever)
        busy(0.05)
        assert budget.run(lambda: 42) == 42
    busy(2 * LIMIT_S)


def test_all_steps_of_a_row_count_together() -> None:
    meter = RowBudget(0.5).meter()

    def rows() -> None:
        for _ in range(20):
            meter.run(lambda: busy(0.1))

    with pytest.raises(RowTooSlow):
        rows()


def test_waiting_does_not_count_and_rows_beside_it_go_on() -> None:
    budget = RowBudget(LIMIT_S)

    async def waits() -> str:
        await asyncio.sleep(4 * LIMIT_S)
        return "ready"

    async def hangs() -> None:
        await asyncio.sleep(0)
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(60))
            forever()

    async def both() -> tuple[object, object]:
        return await asyncio.gather(budget.wait(waits()), budget.wait(hangs()), return_exceptions=True)

    ready, failed = asyncio.run(both())
    assert ready == "ready"
    assert isinstance(failed, RowTooSlow)


STUCK = """
import re
from dlcot_ray.work.rows.budget import RowBudget
print("start", flush=True)
RowBudget(0.2, kills=True).run(lambda: re.match("(?:a|aa)+$", "a" * 90 + "b"))
"""


def test_a_step_that_cannot_be_interrupted_ends_the_process_with_its_stack() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STUCK], cwd=REPO, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == -signal.SIGPROF
    assert done.stdout == "start\n"
    assert "budget.py" in done.stderr


class _Hangs(RulesJudge):
    async def judge(self, trace: Trace) -> Annotation:
        if "HANG" in trace.problem:
            forever()
        return await super().judge(trace)


def _hanging_policy() -> Policy:
    def drops(annotation: Annotation) -> Drops:
        if annotation.trace_id == "b":
            forever()
        return {}

    return Policy("hangs", (drops,))


def _run(policy: Policy, *, problem: str, reject: bool) -> UnitOutput:
    budget = RowBudget(0.5)
    text = "40 + 2 = 42.\n\nSo the answer is 42."
    rows = [
        {"id": name, "problem": "What is 40 + 2?", "reasoning": text, "ground_truth": "42"} for name in "abc"
    ]
    rows[1]["problem"] = problem
    table = pa.Table.from_pylist(rows)
    columns = resolve_columns(load_preset("plain"), table.schema, "x.parquet")
    unit = UnitInput.parse(table, columns, file="x.parquet", shard_name="x", first_row=0)
    options = UnitOptions(policy, estimate_tokens, budget=budget, reject_slow=reject)
    judge = _Hangs()
    try:
        return asyncio.run(enhance_unit(unit, TimedJudge(judge, budget), options))
    finally:
        judge.close()


@pytest.mark.parametrize(
    ("policy", "problem"), [(lambda: POLICY, "HANG"), (_hanging_policy, "What is 40 + 2?")]
)
def test_a_row_that_hangs_costs_only_itself(policy: Callable[[], Policy], problem: str) -> None:
    kept = _run(policy(), problem=problem, reject=False)
    assert kept.enhanced["trace_id"].to_pylist() == ["a", "b", "c"]
    slow = kept.enhanced.to_pylist()[1]
    assert (slow["status"], slow["status_reason"]) == ("unchanged", "too_slow")
    assert "row_seconds=0.5" in slow["gates"][-1]["detail"]
    assert dict(kept.stats.by_reason)["too_slow"] == 1

    gone = _run(policy(), problem=problem, reject=True)
    assert gone.enhanced["trace_id"].to_pylist() == ["a", "c"]
    (fault,) = gone.rejected.to_pylist()
    assert (fault["trace_id"], fault["stage"], fault["cause"]) == ("b", "judge", "too_slow")
