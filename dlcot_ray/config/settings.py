"""The settings of every command as frozen dataclasses; the comments of `conf/*.yaml` explain each to users.

Defaults stand here and in `conf/` both, because a reader of either needs them; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dlcot_ray.core.policies import DEFAULT_POLICY
from dlcot_ray.core.trace import MAX_TRACE_CHARS


@dataclass(frozen=True, slots=True)
class RayConfig:
    """How to reach Ray.

    Attributes:
        address: a cluster, ``local``, or None for the environment's choice.
        wait_s: seconds to wait for the nodes that `min_workers` needs.
    """

    address: str | None = None
    wait_s: float = 900.0


@dataclass(frozen=True, slots=True)
class LogConfig:
    """The log for programs: ``json`` lines of `level` and above in a file or on stderr, or ``none``."""

    format: str = "none"
    level: str = "info"
    file: str | None = None


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """What one worker takes, where the job knows better than the judge's file; None leaves that as it is."""

    cpus: float | None = None
    gpus: float | None = None
    accelerator_type: str | None = None


@dataclass(frozen=True, slots=True)
class EnhanceStorage:
    """fsspec options of either side; never credentials."""

    input: dict[str, Any] = field(default_factory=dict)
    output: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GateConfig:
    """The calibration gate of `dlcot enhance`; `floors` are figures by kind and name, nested."""

    set: Any = None
    traces: Any = None
    dataset: str = "auto"
    floors: dict[str, Any] = field(default_factory=dict)
    limit: int | None = 50
    max_seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class EnhanceConfig:
    """The settings of `dlcot enhance`; `conf/enhance.yaml` explains each."""

    input: Any = None
    output: str | None = None
    overwrite: bool = False
    dataset: str = "auto"
    judge: str = "rules"
    judge_options: dict[str, Any] = field(default_factory=dict)
    policy: str = DEFAULT_POLICY
    errors: str = "keep"
    corrected: str = "keep"
    unsolved: str = "keep"
    policy_options: dict[str, Any] = field(default_factory=dict)
    gate: GateConfig = field(default_factory=GateConfig)
    rows_per_unit: int = 256
    bytes_per_unit: int = 67_108_864
    max_trace_chars: int = MAX_TRACE_CHARS
    check_duplicate_ids: bool = True
    tokenizer: str | None = None
    workers: int | None = None
    min_workers: int | None = None
    worker: WorkerConfig = field(default_factory=WorkerConfig)
    in_flight: int | None = None
    retries: int = 2
    max_worker_deaths: int = 3
    max_failed_units: int | None = 20
    stall_s: float | None = 1800.0
    ray: RayConfig = field(default_factory=RayConfig)
    storage: EnhanceStorage = field(default_factory=EnhanceStorage)
    progress_s: float = 30.0
    log: LogConfig = field(default_factory=LogConfig)
    max_rejected_share: float = 0.05


@dataclass(frozen=True, slots=True)
class DeriveStorage:
    """fsspec options of each side; `annotations` None means those of `input`; never credentials."""

    input: dict[str, Any] = field(default_factory=dict)
    annotations: dict[str, Any] | None = None
    output: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeriveConfig:
    """The settings of `dlcot derive`; `conf/derive.yaml` explains each."""

    annotations: str | None = None
    output: str | None = None
    overwrite: bool = False
    policy: str = DEFAULT_POLICY
    errors: str = "keep"
    corrected: str = "keep"
    unsolved: str = "keep"
    policy_options: dict[str, Any] = field(default_factory=dict)
    writer: str | None = None
    writer_options: dict[str, Any] = field(default_factory=dict)
    workers: int | None = None
    min_workers: int | None = None
    worker: WorkerConfig = field(default_factory=WorkerConfig)
    retries: int = 2
    max_worker_deaths: int = 3
    max_failed_units: int | None = 20
    stall_s: float | None = 1800.0
    ray: RayConfig = field(default_factory=RayConfig)
    storage: DeriveStorage = field(default_factory=DeriveStorage)
    progress_s: float = 30.0
    log: LogConfig = field(default_factory=LogConfig)
    max_rejected_share: float = 0.05


@dataclass(frozen=True, slots=True)
class EvaluateConfig:
    """The settings of `dlcot evaluate`; `conf/evaluate.yaml` explains each."""

    set: Any = "gold"
    traces: Any = None
    dataset: str = "auto"
    output: str | None = None
    judge: str = "rules"
    judge_options: dict[str, Any] = field(default_factory=dict)
    limit: int | None = None
    tolerance: int = 3
    within: int = 1
    rounds: int = 1000
    seed: int = 20250316
    worst: int = 20
    where: str = "auto"
    workers: int | None = None
    in_flight: int | None = None
    ray: RayConfig = field(default_factory=RayConfig)
    storage: EnhanceStorage = field(default_factory=EnhanceStorage)


@dataclass(frozen=True, slots=True)
class RefreshBounds:
    """What may move from one night to the next before it is held back; None switches a bound off."""

    max_rejected_share_change: float | None = 0.05
    max_cut_change: float | None = 0.1
    max_label_flips: float | None = 0.05
    max_removed_share: float | None = 0.2
    max_unusable_inputs: int | None = 0


@dataclass(frozen=True, slots=True)
class RefreshConfig(EnhanceConfig):
    """The settings of `dlcot refresh`, those of the job that makes a snapshot among them."""

    action: str = "refresh"
    snapshot: str | None = None
    name: str | None = None
    report_by: list[str] = field(default_factory=lambda: ["source", "teacher"])
    bounds: RefreshBounds = field(default_factory=RefreshBounds)
    publish_anyway: bool = False
    keep: int = 7
    grace_h: float = 48.0
    gc: str = "plan"
    lease_s: float = 300.0


@dataclass(frozen=True, slots=True)
class JudgeConfig:
    """One file of `conf/judge/`.

    Attributes:
        factory: ``module:class`` of the judge.
        options: its keyword arguments.
        cpus, gpus: what one worker takes; `gpus` None means as many as its engine spreads over.
        accelerator_type: the GPU that it must be, as Ray names it (``H100``), or None for any.
        workers: how many at most, where the job does not say; None takes all the room there is.
        min_workers: how many the job insists on, where it does not say itself.
        in_flight: traces that one worker keeps in flight.
        light: so cheap that evaluations run it in their own process and not on Ray.
    """

    factory: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    cpus: float = 1.0
    gpus: float | None = 0.0
    accelerator_type: str | None = None
    workers: int | None = None
    min_workers: int | None = None
    in_flight: int = 1
    light: bool = False


@dataclass(frozen=True, slots=True)
class PolicyDefaults:
    """One file of `conf/policy/`: default options of a policy."""

    options: dict[str, Any] = field(default_factory=dict)


Config = EnhanceConfig | DeriveConfig


def gate_floors(gate: GateConfig) -> dict[str, float]:
    """The floors by dotted name, e.g. ``segmentation.kappa``."""

    def flat(group: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
        for name, value in group.items():
            if isinstance(value, Mapping):
                yield from flat(value, f"{prefix}{name}.")
            else:
                yield f"{prefix}{name}", value

    return dict(flat(gate.floors))
