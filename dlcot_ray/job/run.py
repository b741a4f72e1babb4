"""Runs a job from its configuration to its manifest: check, plan, resume, stream, count.

Everything that can fail does so before Ray starts, in one line. What happens to single rows, units and
files afterwards never stops the job; it is counted, listed, and told by the exit status.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import Any

from rich.console import Console

from dlcot_ray import __version__
from dlcot_ray.core.policies import PolicyError, parse_policy
from dlcot_ray.job.commit import MANIFEST_FILE, InputRecord, JobRecord, Output, check_inputs
from dlcot_ray.job.config import (
    Config,
    ConfigError,
    EnhanceConfig,
    as_dict,
    load_judge,
    load_policy_options,
)
from dlcot_ray.job.datasets import DatasetPreset, load_preset
from dlcot_ray.job.faults import InputFault, JobError
from dlcot_ray.job.graph import plan_workers, run_graph, start_ray, stop_ray, waiting_for
from dlcot_ray.job.ids import Duplicates, find_duplicates
from dlcot_ray.job.manifest import (
    FailedUnit,
    build_manifest,
    count_outputs,
    describes,
    read_manifest,
    write_manifest,
)
from dlcot_ray.job.plan import Plan, PlannedFile, Segment, assign_names, make_plan
from dlcot_ray.job.progress import RunProgress
from dlcot_ray.job.storage import Store, find_shards
from dlcot_ray.job.storage_errors import without_credentials
from dlcot_ray.job.store import is_local
from dlcot_ray.job.summary import print_summary
from dlcot_ray.job.work import ReadTask, UnitTask, WorkSpec, make_judge, token_counter

FINISH_FIRST = "it has no annotations yet; finish the job that makes them, then run this again"


class Exit(IntEnum):
    """Exit statuses of every command."""

    OK = 0
    FAILED = 1
    """It could not start, or was stopped."""
    USAGE = 2
    WITH_FAULTS = 3
    """It finished, but with unusable inputs, failed units, or too many rejected rows."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A job that is ready to run.

    Attributes:
        config: as given.
        record: what `_job.json` will say.
        plan: all units.
        spec: what the workers need.
        cpus, gpus: what one worker wants.
        options: fsspec options of the inputs.
        check_ids: look for duplicate ids.
        available: units that can be done at all; None means every planned one.
    """

    config: Config
    output: Output
    record: JobRecord
    plan: Plan
    spec: WorkSpec
    cpus: float
    gpus: float
    options: Mapping[str, Any] = field(default_factory=dict)
    check_ids: bool = True
    available: frozenset[str] | None = None


def run_enhance(config: EnhanceConfig) -> Exit:
    """Run `dlcot enhance`.

    Raises:
        JobError: it cannot start.
    """
    return execute(prepare_enhance(config))


def prepare_enhance(config: EnhanceConfig) -> Prepared:
    """Check everything that `dlcot enhance` needs, take the output, and plan.

    Raises:
        JobError: something is not as it must be.
    """
    config = replace(
        config,
        input=[absolute(url) for url in ([config.input] if isinstance(config.input, str) else config.input)],
        output=absolute(config.output or ""),
    )
    preset = _preset(config.dataset)
    judge = load_judge(config.judge, config.judge_options)
    policy_options = checked_policy(config.policy, config.policy_options)
    token_counter(config.tokenizer)
    probe = make_judge(judge)
    identity = probe.identity
    probe.close()
    settings = {
        "dataset": config.dataset,
        "dataset_definition": definition_of(preset),
        "judge": identity,
        "judge_options": judge.options,
        "policy": config.policy,
        "policy_options": policy_options,
        "rows_per_unit": config.rows_per_unit,
        "bytes_per_unit": config.bytes_per_unit,
        "max_trace_chars": config.max_trace_chars,
        "check_duplicate_ids": config.check_duplicate_ids,
        "tokenizer": config.tokenizer,
        "dlcot_version": __version__,
    }
    output = open_output(config.output or "", config.storage.output, config.input)
    shards = find_shards(config.input, config.storage.input)
    record = output.claim(JobRecord("enhance", settings, stored(config)), overwrite=config.overwrite)
    check_inputs(record, shards, output.label)
    plan = make_plan(
        assign_names(shards, {item.label: item.name for item in record.inputs}),
        preset,
        rows_per_unit=config.rows_per_unit,
        bytes_per_unit=config.bytes_per_unit,
        options=config.storage.input,
    )
    spec = WorkSpec(
        preset=preset,
        policy=config.policy,
        policy_options=policy_options,
        judge=judge,
        tokenizer=config.tokenizer,
        max_trace_chars=config.max_trace_chars,
        in_flight=config.in_flight or judge.in_flight,
        retries=config.retries,
        output=config.output or "",
        input_options=config.storage.input,
        output_options=config.storage.output,
    )
    return Prepared(
        config,
        output,
        record,
        plan,
        spec,
        cpus=judge.cpus,
        gpus=judge.gpus,
        options=config.storage.input,
        check_ids=config.check_duplicate_ids,
    )


def execute(job: Prepared) -> Exit:
    """Do what is not done yet, write the manifest, print the summary.

    Raises:
        JobError: the job cannot go on; what is finished is kept.
    """
    started = time.monotonic()
    output = job.output
    removed = output.store.remove_temporary()
    done = output.done()
    job, duplicates = _without_unreadable_ids(job, done)
    if not job.plan.files:
        first = job.plan.faults[0]
        raise JobError(f"none of the {len(job.plan.faults)} inputs can be used: {first}")
    job = replace(job, record=job.record.with_inputs(_records(job.plan)))
    tasks, missing = _tasks(job, done, duplicates)
    manifest = read_manifest(output)
    if not tasks and not missing and manifest is not None and describes(manifest, job.record, job.plan):
        return _finish(job, manifest, "nothing to do: this output is complete")
    output.store.delete(MANIFEST_FILE)
    output.write_record(job.record)
    failed = [FailedUnit(u.name, u.label, u.start, u.stop, FINISH_FIRST) for u in missing]
    timings: dict[str, Any] = {"started": datetime.now(UTC).isoformat(timespec="seconds")}
    if tasks:
        failed += _stream(job, tasks, timings)
    timings["leftovers_removed"] = removed
    timings["seconds"] = round(time.monotonic() - started, 3)
    counted = count_outputs(job.plan, output, output.done())
    manifest = build_manifest(job.record, job.plan, counted, failed, output, timings)
    write_manifest(output, manifest)
    return _finish(job, manifest, _next_step(job, manifest))


def _stream(job: Prepared, tasks: Sequence[ReadTask], timings: dict[str, Any]) -> list[FailedUnit]:
    """Run the graph over `tasks`; returns the units that failed."""
    units = sum(len(task.units) for task in tasks)
    rows = sum(unit.stop - unit.start for task in tasks for unit in task.units)
    failed: list[FailedUnit] = []
    begin = time.monotonic()
    ours = start_ray(job.config.ray.address)
    try:
        timings["ray_start_seconds"] = round(time.monotonic() - begin, 3)
        workers = plan_workers(job.config.workers, job.cpus, job.gpus, units)
        lacking = waiting_for(workers)
        if lacking:
            print(f"dlcot: the cluster is busy, waiting for {lacking}", file=sys.stderr, flush=True)
        with RunProgress(job.plan.rows, job.plan.rows - rows, job.config.progress_s) as progress:
            for result in run_graph(tasks, job.spec, workers):
                progress.update(result.stats)
                if result.error:
                    failed.append(
                        FailedUnit(result.name, result.label, result.start, result.stop, result.error)
                    )
    finally:
        if ours:
            stop_ray()
    timings.update(units=units - len(failed), rows=rows, workers=workers.count)
    return failed


def _without_unreadable_ids(job: Prepared, done: set[str]) -> tuple[Prepared, Duplicates | None]:
    """Find duplicate ids if there is work to do; a file whose ids cannot be read leaves the plan."""
    work = any(unit.name not in done for file in job.plan.files for unit in file.units())
    while work and job.check_ids and job.plan.files:
        try:
            return job, find_duplicates(job.plan.files, job.options)
        except InputFault as fault:
            files = tuple(file for file in job.plan.files if file.shard.label != fault.file)
            job = replace(job, plan=Plan(files, (*job.plan.faults, fault)))
    return job, None


def _tasks(
    job: Prepared, done: set[str], duplicates: Duplicates | None
) -> tuple[list[ReadTask], list[UnitTask]]:
    """What is left to read, and the units that cannot be done because they were never annotated."""
    tasks: list[ReadTask] = []
    missing: list[UnitTask] = []
    for number, file in enumerate(job.plan.files):
        for segment in file.segments:
            units: list[UnitTask] = []
            for unit in _left(file, segment, done):
                if job.available is not None and unit.name not in job.available:
                    missing.append(unit)
                elif duplicates is None:
                    units.append(unit)
                else:
                    units.append(replace(unit, duplicates=duplicates.within(number, unit.start, unit.stop)))
            if units:
                shard = file.shard
                tasks.append(
                    ReadTask(
                        shard.store_url,
                        shard.relative,
                        segment.first_group,
                        segment.stop_group,
                        segment.cuts[0],
                        tuple(units),
                    )
                )
    return tasks, missing


def _left(file: PlannedFile, segment: Segment, done: set[str]) -> Iterator[UnitTask]:
    for unit in file.units_of(segment):
        if unit.name not in done:
            yield UnitTask(unit.name, file.shard.label, file.shard.name, unit.start, unit.stop)


def _records(plan: Plan) -> list[InputRecord]:
    return [
        InputRecord(file.shard.label, file.shard.name, file.rows, file.shard.size, file.shard.version)
        for file in plan.files
    ]


def _finish(job: Prepared, manifest: Mapping[str, Any], next_step: str) -> Exit:
    print_summary(manifest, job.output.label, next_step, Console(highlight=False))
    totals = manifest["totals"]
    too_many = totals["rejected"] > job.config.max_rejected_share * max(totals["rows"], 1)
    faulty = manifest["unusable_inputs"] or manifest["failed_units"] or totals["unfinished"]
    return Exit.WITH_FAULTS if faulty or too_many else Exit.OK


def _next_step(job: Prepared, manifest: Mapping[str, Any]) -> str:
    if manifest["failed_units"]:
        return "next: see to what failed and run the same command again; what is finished is kept"
    if manifest["unusable_inputs"]:
        return "next: repair or remove the unusable inputs and run the same command again"
    if manifest["totals"]["rejected"] > job.config.max_rejected_share * max(manifest["totals"]["rows"], 1):
        return f"next: look into {job.output.store.url('rejected')}, more rows than usual are there"
    if job.record.command == "enhance":
        return f"next: try another policy: dlcot derive annotations={job.output.label} output=... policy=..."
    return f"next: train on {job.output.store.url('enhanced')}"


def open_output(url: str, options: Mapping[str, Any], inputs: Sequence[str]) -> Output:
    """The output, proven writable and apart from the inputs.

    Raises:
        JobError: it is not.
    """
    output = Output(Store(url, options))
    place = output.label.rstrip("/") + "/"
    for source in inputs:
        folder = Store(source).label.rstrip("/") + "/"
        if place.startswith(folder):
            raise JobError(
                f"the output {output.label} lies inside the input {folder.rstrip('/')}",
                "choose an output elsewhere: the next run would take it for input",
            )
        if folder.startswith(tuple(f"{place}{name}/" for name in ("enhanced", "annotations", "rejected"))):
            raise JobError(f"the input {source} lies inside the output", "choose an output elsewhere")
    output.store.check_writable()
    return output


def checked_policy(expression: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The policy's options with the packaged ones beneath, after a trial parse.

    Raises:
        ConfigError: no such policy or option.
    """
    try:
        merged = load_policy_options(expression, options)
        parse_policy(expression, merged)
    except PolicyError as error:
        raise ConfigError(str(error), "check policy= and policy_options.*") from error
    return merged


def _preset(name: str) -> DatasetPreset:
    try:
        return load_preset(name)
    except JobError as error:
        raise ConfigError(error.message, error.remedy) from error


def definition_of(preset: DatasetPreset) -> str:
    """Identity of a preset's content (16 hex digits)."""
    content = json.dumps(dataclasses.asdict(preset), sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def absolute(url: str) -> str:
    """A local path made absolute, because workers have working directories of their own."""
    if not is_local(url):
        return url
    path = Path(url.removeprefix("file://")).expanduser().absolute()
    return str(path) + ("/" if url.endswith("/") else "")


def stored(config: Config) -> dict[str, Any]:
    """The configuration as it is stored: without credentials in its URLs."""

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            return without_credentials(value)
        if isinstance(value, list):
            return [clean(item) for item in value]
        if isinstance(value, dict):
            return {key: clean(item) for key, item in value.items()}
        return value

    cleaned: dict[str, Any] = clean(as_dict(config))
    return cleaned
