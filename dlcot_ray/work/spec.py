"""The settings that every worker of a job gets, and the record that reading passes to judging."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from dlcot_ray.config.settings import JudgeConfig
from dlcot_ray.inputs.presets import DatasetPreset
from dlcot_ray.outputs.facts import FactSpec
from dlcot_ray.outputs.layout import Output
from dlcot_ray.outputs.recall import RecallSpec
from dlcot_ray.plan.tasks import UnitTask
from dlcot_ray.storage.store import Store

_STUCK_SHARE = 2 / 3
"""Of the job's `stall_s`: the rest is time to replace a worker that is stuck."""


def stuck_after(stall_s: float | None) -> float | None:
    """Seconds without a finished row after which a worker is replaced, before the job counts as stalled."""
    return None if stall_s is None else stall_s * _STUCK_SHARE


@dataclass(frozen=True, slots=True)
class WorkSpec:
    """The settings that every worker of a job gets. Small and picklable.

    Attributes:
        preset: how columns become traces.
        policy, policy_options: what to cut.
        judge: the judge; None derives from the annotations at `annotations`.
        tokenizer: a Hugging Face name or directory, or None for the estimate.
        max_trace_chars: a longer reasoning passes through unjudged (code points).
        in_flight: traces with one judge at once.
        retries: further attempts at reading or writing.
        output: URL of the job's output.
        input_options, output_options, annotations_options: fsspec options.
        annotations: URL of the output whose annotations are used, where there is no judge.
        writer: supplies repairs and bridges where there is no judge; None for no writer.
        rows_per_bundle, bytes_per_bundle: tiny units are bundled up to these limits.
        row_seconds: CPU seconds that a row may take to be judged, and to be edited; None for no limit.
        reject_slow: reject rows that take longer, instead of passing them through.
        stuck_s: seconds without a finished row after which a worker counts as stuck; None for any time.
        recall: where annotations of earlier snapshots are found; the judge is asked only for the rest.
        chunked: write Parquet with content-defined chunks.
        facts: which facts of each row a refresh stores; None outside a refresh.
        job: fingerprint of the job, which is stored with every unit.
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
    row_seconds: float | None = None
    reject_slow: bool = False
    stuck_s: float | None = None
    recall: RecallSpec | None = None
    facts: FactSpec | None = None
    chunked: bool = False
    job: str = ""

    def open_output(self) -> Output:
        """The job's output."""
        return Output(Store(self.output, self.output_options))


@dataclass(frozen=True, slots=True)
class ReadUnit:
    """A unit's rows, or why they cannot be read.

    Attributes:
        task: which unit.
        table: its rows; None after an error.
        annotations: stored ones (`ANNOTATION_SCHEMA`), for deriving.
        error: why there is no table.
    """

    task: UnitTask
    table: pa.Table | None = None
    annotations: pa.Table | None = None
    error: str = ""
