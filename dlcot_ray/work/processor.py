"""The second step of a work unit: judge its traces (or take stored annotations) and enhance them.

No Ray here: the Ray graph, the single-process benchmark and the tests run this class. A failure of a unit is
returned; only a judge that cannot go on at all raises.
"""

from __future__ import annotations

import time
from dataclasses import replace

import pyarrow as pa

from dlcot_ray.config.judges import make_judge, token_counter, writer_of
from dlcot_ray.core.policies.registry import parse_policy
from dlcot_ray.errors import reason_of
from dlcot_ray.inputs.columns import resolve_columns
from dlcot_ray.inputs.readers.protocol import READ_ERRORS
from dlcot_ray.judging.protocol import JudgeDied, JudgeUnavailable
from dlcot_ray.outputs.results import EngineUse, UnitOutput
from dlcot_ray.plan.tasks import UnitTask
from dlcot_ray.work.process import derive_unit, enhance_unit
from dlcot_ray.work.refreshing import recall, refresh_unit
from dlcot_ray.work.rows.budget import RowBudget, TimedJudge
from dlcot_ray.work.rows.watch import RowWatch, WatchedJudge, WatchedWriter
from dlcot_ray.work.spec import ReadUnit, WorkSpec
from dlcot_ray.work.unit_input import UnitInput, UnitOptions


class Processor:
    """Judges and enhances units. Built once per worker, because a judge may be heavy.

    Args:
        spec: the job's settings.
        kills: end the process where a row goes on without end and cannot be interrupted.

    Raises:
        JobError: the judge, the policy or the tokenizer cannot be set up.
    """

    def __init__(self, spec: WorkSpec, *, kills: bool = False) -> None:
        self._spec = spec
        self._budget = RowBudget(spec.row_seconds, kills=kills)
        self._options = UnitOptions(
            policy=parse_policy(spec.policy, dict(spec.policy_options)),
            count_tokens=token_counter(spec.tokenizer),
            max_trace_chars=spec.max_trace_chars,
            in_flight=spec.in_flight,
            budget=self._budget,
            reject_slow=spec.reject_slow,
        )
        self._judge = make_judge(spec.judge) if spec.judge is not None else None
        author = make_judge(spec.writer) if spec.writer is not None else self._judge
        self._writer = writer_of(author) if author is not None else None
        self._author = author if author is not self._judge else None
        self._reported = EngineUse(0.0, time.monotonic())

    def start(self) -> None:
        """Load what judging and writing need, so that an error shows before the first unit.

        Raises:
            JudgeUnavailable: judge or writer cannot start.
        """
        for owned in (self._judge, self._author):
            if owned is not None:
                owned.start()
        self._reported = self._clock()

    def engine_use(self) -> EngineUse:
        """Use of the engine since the last call, or since the start; zero where there is no engine."""
        before, self._reported = self._reported, self._clock()
        if self._busy_seconds() is None:
            return EngineUse()
        return EngineUse(self._reported.busy - before.busy, self._reported.lasted - before.lasted)

    def _clock(self) -> EngineUse:
        return EngineUse(self._busy_seconds() or 0.0, time.monotonic())

    def _busy_seconds(self) -> float | None:
        """Of the judge's engine, or the writer's where there is no judge; None without an engine."""
        found: float | None = getattr(self._judge or self._author, "busy_seconds", None)
        return found

    async def __call__(self, read: ReadUnit, watch: RowWatch | None = None) -> UnitOutput | str:
        """The unit's output, or why there is none.

        Raises:
            JudgeDied, JudgeUnavailable: the judge cannot go on at all.
        """
        if read.table is None:
            return read.error
        try:
            return await self._made(read, read.table, watch or RowWatch())
        except (JudgeDied, JudgeUnavailable):
            raise
        except Exception as error:
            # A row cannot fail a unit. This is a defect of ours or of the engine, and costs one unit.
            return f"cannot be processed ({type(error).__name__}: {reason_of(error)})"

    async def _made(self, read: ReadUnit, table: pa.Table, watch: RowWatch) -> UnitOutput | str:
        unit = self._parsed(read.task, table, watch)
        writer = WatchedWriter(self._writer, watch) if self._writer is not None else None
        options = replace(self._options, writer=writer, watch=watch)
        if self._judge is None:
            if read.annotations is None:
                return "it has no annotations"
            return await derive_unit(unit, read.annotations, options)
        judge = WatchedJudge(TimedJudge(self._judge, self._budget), watch)
        if self._spec.facts is None:
            return await enhance_unit(unit, judge, options)
        try:
            known = await recall(unit, read.task.name, judge, self._spec.recall, self._spec.retries)
        except READ_ERRORS as error:
            return f"the index of known annotations cannot be read ({reason_of(error)})"
        return await refresh_unit(unit, judge, options, known, self._spec.facts)

    def _parsed(self, task: UnitTask, table: pa.Table, watch: RowWatch) -> UnitInput:
        return UnitInput.parse(
            table,
            resolve_columns(self._spec.preset, table.schema, task.file),
            file=task.file,
            shard_name=task.shard_name,
            first_row=task.start,
            duplicate_rows=task.duplicates,
            poison_rows=watch.poison_rows,
        )

    def close(self) -> None:
        """Release judge and writer. Safe to call twice."""
        for owned in (self._judge, self._author):
            if owned is not None:
                owned.close()
