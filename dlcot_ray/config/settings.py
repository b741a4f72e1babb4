"""The settings of the commands that judge or edit traces, and of a judge's file.

Every setting is declared once, here or in `groups.py`. ``dlcot COMMAND --help`` prints the declarations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dlcot_ray.config.fields import setting
from dlcot_ray.config.floors import QualityFloorSettings
from dlcot_ray.config.groups import (
    CodeSettings,
    DatasetSettings,
    FailureSettings,
    InFlightSettings,
    InputSettings,
    JsonSettings,
    JudgeSettings,
    OutputSettings,
    RaySettings,
    ReportingSettings,
    ScalingSettings,
    StorageConfig,
    StorageSettings,
    TraceSettings,
    UnitSettings,
    WorkerCountSettings,
)
from dlcot_ray.core.policies.base import MIN_KEEP
from dlcot_ray.core.policies.registry import DEFAULT_POLICY, policy_help


@dataclass(frozen=True)
class PolicyOptions:
    """Options that every policy takes."""

    min_keep: float = setting(
        MIN_KEEP,
        "Smallest share of the characters that an edit must leave; a larger cut is not made.",
        least=0,
        most=1,
    )


@dataclass(frozen=True)
class PolicySettings:
    """Policy."""

    policy: str = setting(
        DEFAULT_POLICY,
        "What is cut: a policy, or several joined by +. Segments that any of them drops are dropped.",
        listed=policy_help(),
    )
    errors: str = setting(
        "keep",
        "Located errors in what stays: keep, delete, or repair (needs a judge or writer with a model).",
    )
    corrected: str = setting(
        "keep", "Errors that the trace itself corrects: keep, or treat (handle them as `errors` says)."
    )
    unsolved: str = setting(
        "keep",
        "Traces that do not reach the answer: keep (edit them like all others), reject, or flag (leave them "
        "unchanged).",
    )
    policy_options: PolicyOptions = setting(PolicyOptions, "Options of all policies.")


@dataclass(frozen=True)
class EnhanceConfig(
    InputSettings,
    OutputSettings,
    DatasetSettings,
    TraceSettings,
    JudgeSettings,
    PolicySettings,
    QualityFloorSettings,
    UnitSettings,
    WorkerCountSettings,
    ScalingSettings,
    InFlightSettings,
    FailureSettings,
    RaySettings,
    StorageSettings,
    ReportingSettings,
):
    """The settings of `dlcot enhance`."""


@dataclass(frozen=True)
class DeriveStorage(StorageConfig):
    """fsspec options of the input, the annotations and the output."""

    annotations: dict[str, Any] | None = setting(
        None, "fsspec options of the annotations. null: those of the input."
    )


@dataclass(frozen=True)
class DeriveConfig(
    OutputSettings,
    PolicySettings,
    CodeSettings,
    WorkerCountSettings,
    ScalingSettings,
    FailureSettings,
    RaySettings,
    ReportingSettings,
):
    """The settings of `dlcot derive`.

    Dataset, limits and work units are those of the job that made the annotations.
    """

    annotations: str | None = setting(
        None,
        "The output of `dlcot enhance` whose annotations are used. Its inputs must not have changed.",
        required="the output of `dlcot enhance`",
    )
    writer: str | None = setting(
        None,
        "The writer of repairs and bridges: a name in conf/judge/ with a model. null: errors and open seams "
        "stay.",
    )
    writer_options: dict[str, Any] = setting(
        dict, "Options of the writer, over those of its file; conf/judge/<writer>.yaml lists them."
    )
    storage: DeriveStorage = setting(DeriveStorage, "Options of the storage.")


@dataclass(frozen=True)
class EvaluateConfig(
    DatasetSettings,
    JudgeSettings,
    InFlightSettings,
    WorkerCountSettings,
    RaySettings,
    StorageSettings,
):
    """The settings of `dlcot evaluate`."""

    set: Any = setting(
        "gold",
        "The labels: gold for the set that comes with dlcot, a Parquet or JSON lines file, a directory of "
        "these, or a list; local or any fsspec URL. The layout is detected from the columns "
        "(docs/reference/label-files.md).",
        required="a file or directory of labels",
        places=True,
    )
    traces: Any = setting(
        None,
        "The traces, for labels that refer to traces by id: as `input` of dlcot enhance, or an output of it.",
        places=True,
    )
    reader: Any = setting(
        None,
        "Labels of another reader, as `set`. They are scored in the place of the judge, on the traces that "
        "both labelled: how far two readers agree.",
        places=True,
    )
    policy: str | None = setting(
        None,
        "The policy whose dropped text is compared with what a reader would drop. null: "
        f"{DEFAULT_POLICY}, or what `reader` drops. With `reader`, the policy gets that reader's structure.",
    )
    pooled: bool = setting(False, "Score all label sets of one layout together.")
    output: str | None = setting(
        None,
        "Where the report goes: a directory or URL prefix (evaluation.json, evaluation.md, traces.md; in "
        "a local directory also worst.md, with text). null: only print it.",
    )
    limit: int | None = setting(
        None,
        "Maximum number of rows of each file, a sample that is always the same. null: all.",
        least=1,
    )
    tolerance: int = setting(3, "Characters by which a segment boundary may be off.", least=0)
    within: int = setting(
        1,
        "Segments by which the first correct answer, or the start of an approach or a check, may be off.",
        least=0,
    )
    rounds: int = setting(1000, "Number of bootstrap resamples.", least=0)
    seed: int = setting(20250316, "Seed of the bootstrap.")
    worst: int = setting(20, "Number of cases to list, worst first.", least=0)
    where: str = setting(
        "auto",
        "Where the judge runs: here (in this process), on Ray, or auto (the rules here, other judges on "
        "Ray).",
        choices=("auto", "here", "ray"),
    )


@dataclass(frozen=True)
class RefreshBounds:
    """How far a snapshot may differ from the one before; None switches a bound off."""

    max_rejected_share_change: float | None = setting(
        0.05, "Difference between the shares of rejected rows.", least=0
    )
    max_cut_change: float | None = setting(0.1, "Difference between the shares of tokens cut.", least=0)
    max_label_flips: float | None = setting(
        0.05,
        "Share of the unchanged traces that have a correct approach in only one of the two snapshots.",
        least=0,
    )
    max_removed_share: float | None = setting(
        0.2, "Share of the traces of the last snapshot that are gone.", least=0
    )
    max_unusable_inputs: int | None = setting(0, "Number of input files that cannot be read.", least=0)


@dataclass(frozen=True)
class RefreshConfig(EnhanceConfig):
    """The settings of `dlcot refresh`: its own, and those of the job that makes a snapshot."""

    output: str | None = setting(
        None,
        "The root of the refresh: a directory or URL prefix that holds nothing else. It gets snapshots/, "
        "latest.json and more.",
        required="a directory or URL prefix",
    )
    overwrite: bool = setting(False, "Refused: every refresh makes a new snapshot.", hidden=True)
    action: str = setting(
        "refresh",
        "refresh: make a snapshot and publish it. publish: make `snapshot` the published one, to roll back "
        "or to publish a snapshot that was held back. gc: only remove old snapshots. list: only list them.",
        choices=("refresh", "publish", "gc", "list"),
    )
    snapshot: str | None = setting(None, "The snapshot that action=publish publishes.")
    name: str | None = setting(
        None, "Name of the new snapshot. null: the date (UTC). A number is added if the name exists."
    )
    report_by: list[str] = setting(
        lambda: ["source", "teacher"], "Columns of the input by which the report is broken down."
    )
    bounds: RefreshBounds = setting(
        RefreshBounds,
        "A snapshot that differs from the last one by more than this is finished but not published (exit "
        "status 4). null switches a bound off.",
    )
    publish_anyway: bool = setting(False, "Publish the snapshot even if it exceeds a bound.")
    keep: int = setting(7, "Number of finished snapshots that are kept, whatever their age.", least=1)
    grace_h: float = setting(
        48.0,
        "Other snapshots are kept for this many hours after they were started, and after they were last the "
        "published one.",
        least=0,
    )
    gc: str = setting(
        "plan",
        "What to do with the remaining snapshots. plan: list what would be removed. run: remove it.",
        choices=("none", "plan", "run"),
    )


@dataclass(frozen=True)
class PlanConfig(JsonSettings, EnhanceConfig):
    """The settings of `dlcot plan`: its own, and those of `dlcot enhance`."""

    output: str | None = setting(
        None, "The output of the job; optional. Units that are done there are left out of the plan."
    )
    sample: int = setting(200, "Number of rows to read, spread over all inputs.", least=1)
    gpu: str | None = setting(None, "Type of the GPU: a name in conf/cost.yaml. null: h100.")
    price: float | None = setting(None, "Price of a GPU for an hour. null: as conf/cost.yaml says.", least=0)
    efficiency: float | None = setting(
        None,
        "Share of the peak performance of the GPU that the engine reaches. null: as conf/cost.yaml says.",
        above=0,
        most=1,
    )
    costs: str | None = setting(None, "A YAML file whose entries replace those of conf/cost.yaml.")


@dataclass(frozen=True)
class JudgeConfig:
    """One file of `conf/judge/`."""

    factory: str = setting("", "``module:class`` of the judge.")
    options: dict[str, Any] = setting(dict, "Keyword arguments of the factory.")
    cpus: float = setting(1.0, "CPUs of one worker.", least=0)
    gpus: float | None = setting(
        0.0, "GPUs of one worker. null: as many as its engine is spread over.", least=0
    )
    accelerator_type: str | None = setting(None, "Type of the GPU as Ray names it (H100). null: any.")
    workers: int | None = setting(
        None, "Maximum number of workers, unless the job sets it. null: as many as fit.", least=1
    )
    min_workers: int | None = setting(None, "Minimum number of workers, unless the job sets it.", least=1)
    in_flight: int = setting(1, "Traces that one worker keeps in flight.", least=1)
    light: bool = setting(False, "Run evaluations in this process instead of on Ray.")


Config = EnhanceConfig | DeriveConfig
