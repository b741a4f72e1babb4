"""The second step of a work unit: judge its traces (or recall what was judged) and enhance them.

No Ray here: the Ray graph, the single-process benchmark and the tests run this very class. A failure of a
unit is a value; only a judge that cannot go on at all raises.
"""

from __future__ import annotations

import time
from dataclasses import replace

import pyarrow as pa

from dlcot_ray.config.judges import make_judge, token_counter, writer_of
from dlcot_ray.core.policies import parse_policy
from dlcot_ray.errors import reason_of
from dlcot_ray.inputs.traces import resolve_columns
from dlcot_ray.judging.protocol import JudgeDied, JudgeUnavailable
from dlcot_ray.judging.recalling import RecallingJudge
from dlcot_ray.outputs.facts import facts_table
from dlcot_ray.outputs.results import EngineUse
from dlcot_ray.outputs.schemas import annotations_from_table
from dlcot_ray.plan.tasks import UnitTask
from dlcot_ray.work.process import Limits, UnitOutput, derive_unit, enhance_unit
from dlcot_ray.work.reading import unit_traces
from dlcot_ray.work.row_watch import RowWatch, WatchedJudge, WatchedWriter
from dlcot_ray.work.spec import ReadUnit, WorkSpec


class Processor:
    """Judges (or recalls) and enhances units. Built once per worker: a judge may be heavy.

    Raises:
        JobError: the judge, the policy or the tokenizer cannot be set up.
    """

    def __init__(self, spec: WorkSpec) -> None:
        self._spec = spec
        self._policy = parse_policy(spec.policy, dict(spec.policy_options))
        self._count_tokens = token_counter(spec.tokenizer)
        self._limits = Limits(max_trace_chars=spec.max_trace_chars)
        self._judge = make_judge(spec.judge) if spec.judge is not None else None
        author = make_judge(spec.writer) if spec.writer is not None else self._judge
        self._writer = writer_of(author) if author is not None else None
        self._author = author if author is not self._judge else None
        self._told = EngineUse(0.0, time.monotonic())

    def start(self) -> None:
        """Load what judging and writing need, so that a fault shows before the first unit.

        Raises:
            JudgeUnavailable: it cannot be had.
        """
        for owned in (self._judge, self._author):
            if owned is not None:
                owned.start()
        self._told = self._clock()

    def engine_use(self) -> EngineUse:
        """What the engine did since this was last asked, or since the start; nothing where there is none."""
        before, self._told = self._told, self._clock()
        if self._busy_seconds() is None:
            return EngineUse()
        return EngineUse(self._told.busy - before.busy, self._told.lasted - before.lasted)

    def _clock(self) -> EngineUse:
        return EngineUse(self._busy_seconds() or 0.0, time.monotonic())

    def _busy_seconds(self) -> float | None:
        """Of whoever has an engine: the judge, or the writer where nobody judges."""
        found: float | None = getattr(self._judge or self._author, "busy_seconds", None)
        return found

    async def __call__(self, read: ReadUnit, watch: RowWatch | None = None) -> UnitOutput | str:
        """The unit's output, or why there is none.

        Raises:
            JudgeDied, JudgeUnavailable: the judge cannot go on at all.
        """
        if read.table is None:
            return read.error
        unit, watch = read.task, watch or RowWatch()
        writer = WatchedWriter(self._writer, watch) if self._writer is not None else None
        try:
            columns = resolve_columns(self._spec.preset, read.table.schema, unit.file)
            if self._judge is not None:
                known = [] if read.annotations is None else annotations_from_table(read.annotations)
                judge = WatchedJudge(self._judge, watch)
                recalling = RecallingJudge(judge, {item.fingerprint: item for item in known})
                made = await enhance_unit(
                    read.table,
                    file=unit.file,
                    shard_name=unit.shard_name,
                    first_row=unit.start,
                    columns=columns,
                    duplicate_rows=unit.duplicates,
                    judge=judge if self._spec.facts is None else recalling,
                    policy=self._policy,
                    limits=self._limits,
                    count_tokens=self._count_tokens,
                    in_flight=self._spec.in_flight,
                    writer=writer,
                    condemned=watch.poison_rows,
                )
                return self._with_facts(made, read.table, unit, recalling)
            if read.annotations is None:
                return "it has no annotations"
            return await derive_unit(
                read.table,
                read.annotations,
                file=unit.file,
                shard_name=unit.shard_name,
                first_row=unit.start,
                columns=columns,
                duplicate_rows=unit.duplicates,
                policy=self._policy,
                count_tokens=self._count_tokens,
                in_flight=self._spec.in_flight,
                writer=writer,
                condemned=watch.poison_rows,
            )
        except (JudgeDied, JudgeUnavailable):
            raise
        except Exception as error:
            # Rows cannot fail a unit; what does is a fault of ours or of the engine, and costs one unit.
            return f"cannot be processed ({type(error).__name__}: {reason_of(error)})"

    def _with_facts(
        self, made: UnitOutput, table: pa.Table, unit: UnitTask, judge: RecallingJudge
    ) -> UnitOutput:
        if self._spec.facts is None:
            return made
        facts = facts_table(
            table,
            unit_traces(unit, table, self._spec),
            first_row=unit.start,
            annotations=made.annotations,
            enhanced=made.enhanced,
            rejected=made.rejected,
            judge_identity=judge.identity,
            asked=judge.asked,
            spec=self._spec.facts,
        )
        return replace(made, facts=facts)

    def close(self) -> None:
        """Release judge and writer. Safe to call twice."""
        for owned in (self._judge, self._author):
            if owned is not None:
                owned.close()
