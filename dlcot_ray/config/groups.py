"""Settings that several commands share, each declared once: its default, its help, its limits.

A command's dataclass (`settings.py`, `view_settings.py`) inherits the groups that it takes. The groups have
no slots, because Python does not allow several base classes with slots.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dlcot_ray.config.fields import setting
from dlcot_ray.core.trace import MAX_TRACE_CHARS

_FSSPEC = "such as endpoint_url. Credentials are refused here: set them in the environment."

DEFAULT_JUDGE = "learned"
"""The judge of a job, of a profile and of the Python API."""


@dataclass(frozen=True)
class InputSettings:
    """Input."""

    input: Any = setting(
        None,
        "The traces: a directory, a file, a glob, or a list of these; local or any fsspec URL "
        "(docs/reference/input-formats.md).",
        required="a directory, a file or a glob",
        places=True,
    )


@dataclass(frozen=True)
class OutputSettings:
    """Output."""

    output: str | None = setting(
        None,
        "Where results go: a directory or URL prefix that holds nothing else. To resume a job, run the same "
        "command again.",
        required="a directory or URL prefix",
    )
    overwrite: bool = setting(
        False, "Remove the results of an earlier job from `output` first. Only files that dlcot wrote go."
    )
    content_defined_chunking: bool = setting(
        False,
        "End the data pages of Parquet files where their content says so. A store that keeps equal chunks "
        "once (the Hugging Face hub) then uploads only what changed.",
    )


@dataclass(frozen=True)
class DatasetSettings:
    """Layout of the input."""

    dataset: str = setting(
        "auto",
        "How columns become traces: a name in conf/dataset/, the path of such a file, or auto to detect the "
        "layout of each file.",
    )


@dataclass(frozen=True)
class TraceSettings:
    """Traces of a row."""

    generations: str = setting(
        "all",
        "Which generations of a row become traces: all, those that are flagged correct, the first that can "
        "be read, or the shortest_correct one.",
        choices=("all", "correct", "first", "shortest_correct"),
    )
    turns: str = setting(
        "last",
        "Which of the assistant's turns with thinking are edited: the last, or all (each is a trace).",
        choices=("last", "all"),
    )
    markup: str = setting(
        "reject",
        "Texts that hold a control word of a chat template, such as </think> or <|im_end|>: reject the "
        "trace, or keep it as it is.",
        choices=("reject", "keep"),
    )
    reply: str = setting(
        "keep",
        "Traces without a visible reply: keep leaves `messages` empty, answer builds a reply from the known "
        "final answer.",
        choices=("keep", "answer"),
    )


@dataclass(frozen=True)
class CodeSettings:
    """Code of others."""

    allow_code: bool = setting(
        False,
        "Take a judge's file that names Python code outside dlcot, or engine options that run the code of a "
        "model. Set it only for files and models that you trust.",
    )


@dataclass(frozen=True)
class JudgeSettings(CodeSettings):
    """Judge."""

    judge: str = setting(
        DEFAULT_JUDGE,
        "The judge: a name in conf/judge/, or the path of such a file. `learned` and `rules` need no GPU.",
    )
    judge_options: dict[str, Any] = setting(
        dict, "Options of the judge, over those of its file; conf/judge/<judge>.yaml lists them."
    )


@dataclass(frozen=True)
class InFlightSettings:
    """Traces in flight."""

    in_flight: int | None = setting(
        None, "Traces in flight in each worker. null: as the judge's file says.", least=1
    )


@dataclass(frozen=True)
class UnitSettings:
    """Work units and rows."""

    rows_per_unit: int = setting(
        256,
        "Maximum number of rows in a work unit. A unit is written, retried and resumed as a whole: smaller "
        "units lose less when a job is killed, larger units make fewer objects.",
        least=1,
    )
    bytes_per_unit: int = setting(67_108_864, "Approximate maximum size of a work unit, in bytes.", least=1)
    max_trace_chars: int = setting(
        MAX_TRACE_CHARS, "Traces with more characters than this pass through unchanged, with a flag.", least=1
    )
    check_duplicate_ids: bool = setting(
        True,
        "Read all ids first. A row whose id and text repeat an earlier row is rejected; one of another text "
        "gets an id of its own.",
    )
    tokenizer: str | None = setting(
        None,
        "Hub id (owner/name@COMMIT) or directory of a tokenizer that counts tokens (needs "
        "dlcot-ray[tokenizer]). null: estimate the counts.",
    )


@dataclass(frozen=True)
class WorkerConfig:
    """The resources of one worker; None leaves a value as the judge's file has it."""

    cpus: float | None = setting(None, "CPUs.", least=0)
    gpus: float | None = setting(None, "GPUs; 0 runs the CPU build of vLLM.", least=0)
    accelerator_type: str | None = setting(
        None, "Type of the GPU as Ray names it: L4, A100, H100, ... null: any."
    )


@dataclass(frozen=True)
class WorkerCountSettings:
    """Number of workers."""

    workers: int | None = setting(
        None,
        "Maximum number of workers, with one engine each. null: all CPUs, or all GPUs if the judge or writer "
        "needs one.",
        least=1,
    )


@dataclass(frozen=True)
class ScalingSettings:
    """Waiting for workers, and their resources."""

    min_workers: int | None = setting(
        None,
        "Minimum number of workers. With a number, the job requests nodes from an autoscaling cluster, waits "
        "for them (ray.wait_s), starts this many workers, and adds more up to `workers`. null: start what "
        "fits the cluster now.",
        least=1,
    )
    worker: WorkerConfig = setting(
        WorkerConfig, "Resources of one worker. null: as the file in conf/judge/ says."
    )


@dataclass(frozen=True)
class FailureSettings:
    """Failures."""

    retries: int = setting(
        2, "Number of further attempts to read or write a unit before it counts as failed.", least=0
    )
    row_seconds: float | None = setting(
        120.0,
        "CPU seconds that one row may take to be judged, and again to be edited. Waiting for a model does "
        "not count. null: no limit.",
        above=0,
    )
    slow_rows: str = setting(
        "keep",
        "Rows that take longer than row_seconds: keep passes them through unchanged (reason too_slow), "
        "reject rejects them.",
        choices=("keep", "reject"),
    )
    max_worker_crashes: int = setting(
        3,
        "Worker crashes (out of memory, a crash of the engine) that one unit may cause. Then the row that "
        "causes them is rejected or, if no single row does, the unit is reported as failed. Node failures do "
        "not count.",
        least=1,
    )
    max_failed_units: int | None = setting(
        20, "Stop the job when more units than this have failed. null: never.", least=0
    )
    stall_s: float | None = setting(
        1800.0,
        "Seconds without a finished row or unit (a starting judge counts as well) after which the job counts "
        "as stalled: it stops, and reports what is stuck. null: never.",
        least=1,
    )
    lease_s: float = setting(
        300.0,
        "Seconds without a heartbeat after which another job may take over the output. A job of the same "
        "settings need not wait.",
        least=1,
    )
    max_rejected_share: float = setting(
        0.05,
        "Exit status 3 if a larger share of the rows than this was rejected; dlcot refresh then holds the "
        "snapshot back.",
        least=0,
        most=1,
    )


@dataclass(frozen=True)
class RayConfig:
    """The connection to Ray."""

    address: str | None = setting(
        None,
        "Address of the cluster. null: RAY_ADDRESS if it is set, else start Ray on this machine. local: "
        "always start Ray on this machine.",
    )
    wait_s: float = setting(900.0, "Seconds to wait for the nodes that min_workers needs.", least=0)


@dataclass(frozen=True)
class RaySettings:
    """Ray."""

    ray: RayConfig = setting(RayConfig, "Connection to Ray.")


@dataclass(frozen=True)
class OutputOptions:
    """fsspec options of the output."""

    output: dict[str, Any] = setting(dict, f"fsspec options of the output, {_FSSPEC}")


@dataclass(frozen=True)
class StorageConfig(OutputOptions):
    """fsspec options of the input and the output."""

    input: dict[str, Any] = setting(dict, f"fsspec options of the input, {_FSSPEC}")


@dataclass(frozen=True)
class StorageSettings:
    """Storage."""

    storage: StorageConfig = setting(StorageConfig, "Options of the storage.")


@dataclass(frozen=True)
class LogConfig:
    """The log for programs: JSON lines of `level` and above, to a file or to stderr."""

    format: str = setting(
        "none",
        "json: a line of JSON for each event of the job and its units "
        "(docs/reference/logs-and-metrics.md lists them).",
        choices=("none", "json"),
    )
    level: str = setting(
        "info",
        "Minimum log level; debug includes units that start.",
        choices=("debug", "info", "warning", "error"),
    )
    file: str | None = setting(None, "Local file to which lines are appended. null: stderr.")


@dataclass(frozen=True)
class ReportingSettings:
    """Progress, log, report and tracker."""

    progress_s: float = setting(30.0, "Seconds between progress lines if stdout is not a terminal.", least=0)
    log: LogConfig = setting(LogConfig, "Log for programs.")
    report: bool = setting(True, "Write report.html at the end: the output as a page for a browser.")
    tracker: str = setting(
        "none",
        "Send the figures of `dlcot status` to a tracker of experiments every five seconds (needs "
        "dlcot-ray[trackio] or dlcot-ray[wandb]).",
        choices=("none", "trackio", "wandb"),
    )
    tracker_project: str = setting("dlcot", "The project of the tracker.")
    tracker_run: str | None = setting(
        None, "Name of the run in the tracker. null: the command and the job's fingerprint."
    )


@dataclass(frozen=True)
class JsonSettings:
    """Format of the report."""

    json: str | None = setting(
        None,
        "stdout (the same as --json): print the report as JSON instead of text. A path: write it there as "
        "well.",
    )
