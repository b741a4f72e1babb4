"""The three steps of a work unit as plain functions: read, process, write. No Ray here.

The Ray graph, the single-process benchmark and the tests run these very functions. A failure is a
value: whatever goes wrong with a unit comes back as its `error`, the unit stays unfinished, and the
next run does it again.
"""

from __future__ import annotations

import importlib
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from dlcot_ray.core.policies import parse_policy
from dlcot_ray.core.tokens import estimate_tokens
from dlcot_ray.core.trace import Trace
from dlcot_ray.job.commit import ANNOTATIONS, Output, with_retries
from dlcot_ray.job.config import JudgeConfig
from dlcot_ray.job.datasets import DatasetPreset, resolve_columns, traces_of
from dlcot_ray.job.facts import FactSpec, facts_table
from dlcot_ray.job.faults import InputFault, JobError, RowFault
from dlcot_ray.job.footers import open_parquet
from dlcot_ray.job.process import Limits, UnitOutput, derive_unit, enhance_unit
from dlcot_ray.job.recall import RecallSpec, open_recall
from dlcot_ray.job.rows import annotations_from_table
from dlcot_ray.job.stats import UnitStats
from dlcot_ray.job.storage import Store, StoreRefused
from dlcot_ray.job.watch import RowWatch, WatchedJudge, WatchedWriter
from dlcot_ray.judging.fingerprint import fingerprint
from dlcot_ray.judging.protocol import Judge, JudgeDied, JudgeUnavailable, Writer
from dlcot_ray.judging.recalling import RecallingJudge

_FIRST_PAUSE_S = 0.2


@dataclass(frozen=True, slots=True)
class WorkSpec:
    """What every worker of a job needs to know; small, and picklable.

    Attributes:
        preset: how columns become traces.
        policy, policy_options: what to cut.
        judge: who judges; None derives from the annotations at `annotations`.
        rows_per_bundle, bytes_per_bundle: tiny units are handled together up to these, as an ordinary one is.
        writer: where nobody judges: whose writer supplies repairs and bridges, if anyone's.
        recall: where annotations of earlier nights are found; the judge is asked only for the rest.
        facts: what a refresh puts down of each row.
        tokenizer: a Hugging Face name or directory, or None for the estimate.
        in_flight: traces with one judge at once.
        retries: further attempts at reading or writing.
        input_options, output_options, annotations_options: fsspec options.
        output: the job's output.
        annotations: the output whose annotations are used, where there is no judge.
    """

    preset: DatasetPreset
    policy: str
    policy_options: Mapping[str, Any]
    judge: JudgeConfig | None
    tokenizer: str | None
    max_trace_chars: int
    in_flight: int
    retries: int
    output: str
    input_options: Mapping[str, Any] = field(default_factory=dict)
    output_options: Mapping[str, Any] = field(default_factory=dict)
    annotations: str | None = None
    annotations_options: Mapping[str, Any] = field(default_factory=dict)
    writer: JudgeConfig | None = None
    rows_per_bundle: int = 256
    bytes_per_bundle: int = 67_108_864
    recall: RecallSpec | None = None
    facts: FactSpec | None = None

    def open_output(self) -> Output:
        """The job's output."""
        return Output(Store(self.output, self.output_options))


@dataclass(frozen=True, slots=True)
class UnitTask:
    """One unit to do: rows `[start, stop)` of a file.

    Attributes:
        label: the file, for people.
        shard_name: names rows that have no id.
        duplicates: rows of the file whose id occurred before -> where.
    """

    name: str
    label: str
    shard_name: str
    start: int
    stop: int
    duplicates: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadTask:
    """Unfinished units of one segment, read in one sweep over row groups `[first_group, stop_group)`.

    `first_row` is the file's row number of the first group's first row.
    """

    store_url: str
    relative: str
    first_group: int
    stop_group: int
    first_row: int
    units: Sequence[UnitTask]


@dataclass(frozen=True, slots=True)
class ReadUnit:
    """A unit's rows (and stored annotations, when deriving or recalling), or why they cannot be had."""

    task: UnitTask
    table: pa.Table | None = None
    annotations: pa.Table | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class EngineUse:
    """Seconds in which an engine had work, of those that passed.

    It tells of a run and of a machine, so it travels beside a unit's content and is no part of it.
    """

    busy: float = 0.0
    lasted: float = 0.0

    def __add__(self, other: EngineUse) -> EngineUse:
        return EngineUse(self.busy + other.busy, self.lasted + other.lasted)


@dataclass(frozen=True, slots=True)
class Effort:
    """What judging a unit took: seconds in the judge's process, and which attempt it was, from 1 (0: none).

    It is no part of a unit's content either.
    """

    seconds: float = 0.0
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class UnitResult:
    """What the driver learns of a unit.

    Attributes:
        error: why it is not done, or an empty string.
        size: bytes of its `enhanced/` object.
        refused: why, where the output's store refuses for good, so that no other unit can be written either.
        engine: what the judge's engine did since the unit before on the same worker.
        effort: what judging it took.
    """

    name: str
    label: str
    start: int
    stop: int
    stats: UnitStats = field(default_factory=UnitStats)
    error: str = ""
    size: int = 0
    refused: str = ""
    engine: EngineUse = field(default_factory=EngineUse)
    effort: Effort = field(default_factory=Effort)


def read_units(task: ReadTask, spec: WorkSpec) -> Iterator[ReadUnit]:
    """Read the units of a segment, in order, holding one at a time.

    Where the file cannot be read any further, the remaining units come back with an error.
    """
    waiting = deque(task.units)
    attempt = 0
    while waiting:
        try:
            for unit, table in _sweep(task, tuple(waiting), spec):
                waiting.popleft()
                yield _with_annotations(unit, table, spec)
            return
        except (OSError, InputFault, JobError, pa.ArrowException) as error:
            if attempt < spec.retries and not isinstance(error, pa.ArrowInvalid):
                time.sleep(_FIRST_PAUSE_S * 2**attempt)
                attempt += 1
                continue
            for unit in waiting:
                yield ReadUnit(unit, error=f"cannot be read ({_reason(error)})")
            return


def _sweep(
    task: ReadTask, units: tuple[UnitTask, ...], spec: WorkSpec
) -> Iterator[tuple[UnitTask, pa.Table]]:
    store = Store(task.store_url, spec.input_options)
    waiting = deque(units)
    parts: list[pa.RecordBatch] = []
    stop = task.first_row
    with open_parquet(store, task.relative, waiting[0].label) as file:
        batches = file.iter_batches(
            max(unit.stop - unit.start for unit in units),
            row_groups=range(task.first_group, task.stop_group),
            use_threads=False,
        )
        for batch in batches:
            start, stop = stop, stop + batch.num_rows
            while waiting and waiting[0].start < stop:
                unit = waiting[0]
                first = max(unit.start, start)
                parts.append(batch.slice(first - start, min(unit.stop, stop) - first))
                if unit.stop > stop:
                    break
                waiting.popleft()
                yield unit, pa.Table.from_batches(parts)
                parts = []
            if not waiting:
                return
    raise InputFault(waiting[0].label, f"its data ends at row {stop}, its footer promises more")


def _with_annotations(unit: UnitTask, table: pa.Table, spec: WorkSpec) -> ReadUnit:
    if spec.recall is not None:
        return _with_recalled(unit, table, spec, spec.recall)
    if spec.annotations is None:
        return ReadUnit(unit, table)
    store = Store(spec.annotations, spec.annotations_options)
    relative = f"{ANNOTATIONS}/{unit.name}.parquet"

    def read() -> pa.Table:
        with open_parquet(store, relative, store.url(relative)) as file:
            return file.read(use_threads=False)

    try:
        return ReadUnit(unit, table, with_retries(spec.retries, read))
    except (OSError, InputFault, JobError, pa.ArrowException) as error:
        return ReadUnit(unit, error=f"its annotations cannot be read ({_reason(error)})")


def _with_recalled(unit: UnitTask, table: pa.Table, spec: WorkSpec, recall: RecallSpec) -> ReadUnit:
    try:
        rows = _traces(unit, table, spec)
    except InputFault:
        # The processor meets the same fault and says so.
        return ReadUnit(unit, table)
    wanted = [fingerprint(row, recall.identity) for row in rows if isinstance(row, Trace)]
    try:
        found = with_retries(spec.retries, lambda: open_recall(recall).annotations(unit.name, wanted))
        return ReadUnit(unit, table, found)
    except (OSError, InputFault, JobError, pa.ArrowException) as error:
        return ReadUnit(unit, error=f"the index of known annotations cannot be read ({_reason(error)})")


def _traces(unit: UnitTask, table: pa.Table, spec: WorkSpec) -> list[Trace | RowFault]:
    columns = resolve_columns(spec.preset, table.schema, unit.label)
    return traces_of(table, columns, file=unit.label, first_row=unit.start, shard_name=unit.shard_name)


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
            columns = resolve_columns(self._spec.preset, read.table.schema, unit.label)
            if self._judge is not None:
                known = [] if read.annotations is None else annotations_from_table(read.annotations)
                judge = WatchedJudge(self._judge, watch)
                recalling = RecallingJudge(judge, {item.fingerprint: item for item in known})
                made = await enhance_unit(
                    read.table,
                    file=unit.label,
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
                    condemned=watch.condemned,
                )
                return self._with_facts(made, read.table, unit, recalling)
            if read.annotations is None:
                return "it has no annotations"
            return await derive_unit(
                read.table,
                read.annotations,
                file=unit.label,
                shard_name=unit.shard_name,
                first_row=unit.start,
                columns=columns,
                duplicate_rows=unit.duplicates,
                policy=self._policy,
                count_tokens=self._count_tokens,
                in_flight=self._spec.in_flight,
                writer=writer,
                condemned=watch.condemned,
            )
        except (JudgeDied, JudgeUnavailable):
            raise
        except Exception as error:
            # Rows cannot fail a unit; what does is a fault of ours or of the engine, and costs one unit.
            return f"cannot be processed ({type(error).__name__}: {_reason(error)})"

    def _with_facts(
        self, made: UnitOutput, table: pa.Table, unit: UnitTask, judge: RecallingJudge
    ) -> UnitOutput:
        if self._spec.facts is None:
            return made
        facts = facts_table(
            table,
            _traces(unit, table, self._spec),
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


def write_unit(task: UnitTask, made: UnitOutput | str, output: Output, spec: WorkSpec) -> UnitResult:
    """Write a processed unit, and tell what became of it."""
    if isinstance(made, str):
        return UnitResult(task.name, task.label, task.start, task.stop, error=made)
    try:
        size = output.put_unit(
            task.name,
            made.stats,
            made.enhanced,
            made.rejected,
            made.annotations if spec.annotations is None else None,
            made.preferences,
            made.facts,
            retries=spec.retries,
        )
    except (OSError, JobError, pa.ArrowException) as error:
        message = f"cannot be written ({_reason(error)})"
        refused = str(error) if isinstance(error, StoreRefused) else ""
        return UnitResult(task.name, task.label, task.start, task.stop, error=message, refused=refused)
    return UnitResult(task.name, task.label, task.start, task.stop, made.stats, size=size)


def make_judge(config: JudgeConfig) -> Judge:
    """The judge that `conf/judge/<name>.yaml` describes.

    Raises:
        JobError: it cannot be imported, or refuses its options.
    """
    module, _, name = config.factory.partition(":")
    try:
        factory = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise JobError(
            f"the judge {config.factory} cannot be loaded ({_reason(error)})",
            "install its packages or choose another judge",
        ) from error
    try:
        judge: Judge = factory(**config.options)
    except JudgeUnavailable as error:
        raise JobError(error.message, error.remedy) from error
    except (TypeError, ValueError) as error:
        raise JobError(f"the judge {config.factory} refuses its options ({_reason(error)})") from error
    return judge


def writer_of(judge: Judge) -> Writer | None:
    """What a judge writes repairs and bridges with: its attribute `writer`; the rules have none."""
    found: Writer | None = getattr(judge, "writer", None)
    return found


def token_counter(tokenizer: str | None) -> Callable[[str], int]:
    """Counts the tokens of a text: estimated, or by a Hugging Face tokenizer.

    Raises:
        JobError: the tokenizer cannot be loaded.
    """
    if tokenizer is None:
        return estimate_tokens
    try:
        # Not imported at the top: a heavy package that only this setting needs.
        loaded = importlib.import_module("transformers").AutoTokenizer.from_pretrained(tokenizer)
    except Exception as error:
        raise JobError(
            f"the tokenizer {tokenizer} cannot be loaded ({_reason(error)})",
            "install dlcot-ray[tokenizer] and check the name, or leave tokenizer unset for an estimate",
        ) from error
    return lambda text: len(loaded(text, add_special_tokens=False, split_special_tokens=True)["input_ids"])


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split())[:300].rstrip(".") or type(error).__name__
