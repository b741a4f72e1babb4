"""What travels between the steps of a job: work to do, what was read, what the driver learns of a unit.

All of it is small and picklable but for `ReadUnit`, which holds a unit's rows on their way from reading to
judging.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from dlcot_ray.job.commit import Output
from dlcot_ray.job.datasets import DatasetPreset
from dlcot_ray.job.facts import FactSpec
from dlcot_ray.job.recall import RecallSpec
from dlcot_ray.job.settings import JudgeConfig
from dlcot_ray.job.stats import UnitStats
from dlcot_ray.job.storage import Store


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
