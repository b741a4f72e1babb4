"""What every worker of a job needs to know, and what reading hands to judging."""

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


@dataclass(frozen=True, slots=True)
class WorkSpec:
    """What every worker of a job needs to know; small, and picklable.

    Attributes:
        preset: how columns become traces.
        policy, policy_options: what to cut.
        judge: who judges; None derives from the annotations at `annotations`.
        rows_per_bundle, bytes_per_bundle: tiny units are handled together up to these, as an ordinary one is.
        writer: where nobody judges: whose writer supplies repairs and bridges, if anyone's.
        recall: where annotations of earlier snapshots are found; the judge is asked only for the rest.
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
class ReadUnit:
    """A unit's rows (and stored annotations, when deriving or recalling), or why they cannot be had."""

    task: UnitTask
    table: pa.Table | None = None
    annotations: pa.Table | None = None
    error: str = ""
