"""Runs a prepared job to its manifest: resume, stream, count, tell.

What happens to single rows, units and files here never stops the job; it is counted, listed, and told by
the exit status. Only what concerns the whole job (the cluster, the output's store) does.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from enum import IntEnum
from functools import partial
from typing import Any

from rich.console import Console

from dlcot_ray.job.cluster import plan_workers, start_ray, stop_ray, waiting_for
from dlcot_ray.job.commit import MANIFEST_FILE, InputRecord
from dlcot_ray.job.config import EnhanceConfig
from dlcot_ray.job.faults import InputFault, JobError
from dlcot_ray.job.ids import Duplicates, find_duplicates
from dlcot_ray.job.manifest import (
    FailedUnit,
    build_manifest,
    count_outputs,
    describes,
    read_manifest,
    write_manifest,
)
from dlcot_ray.job.plan import Plan, PlannedFile, Segment
from dlcot_ray.job.prepare import Prepared, prepare_enhance
from dlcot_ray.job.progress import RunProgress
from dlcot_ray.job.summary import print_summary
from dlcot_ray.job.supervise import Limits, run_units
from dlcot_ray.job.work import ReadTask, UnitTask

FINISH_FIRST = "it has no annotations yet; finish the job that makes them, then run this again"


class Exit(IntEnum):
    """Exit statuses of every command."""

    OK = 0
    FAILED = 1
    """It could not start, or was stopped."""
    USAGE = 2
    WITH_FAULTS = 3
    """It finished, but with unusable inputs, failed units, or too many rejected rows."""


def run_enhance(config: EnhanceConfig) -> Exit:
    """Run `dlcot enhance`.

    Raises:
        JobError: it cannot start.
    """
    return execute(prepare_enhance(config))


def execute(job: Prepared) -> Exit:
    """Do what is not done yet, write the manifest, print the summary.

    Raises:
        JobError: the job cannot go on; what is finished is kept.
    """
    manifest, done_before = complete(job)
    next_step = "nothing to do: this output is complete" if done_before else _next_step(job, manifest)
    return _finish(job, manifest, next_step)


def complete(job: Prepared) -> tuple[dict[str, Any], bool]:
    """Do what is not done yet and write the manifest; returns it, and whether all was done before.

    Raises:
        JobError: the job cannot go on; what is finished is kept.
    """
    started = time.monotonic()
    output = job.output
    removed = output.remove_leftovers()
    done = output.done()
    job, duplicates = _without_unreadable_ids(job, done)
    if not job.plan.files:
        first = job.plan.faults[0]
        raise JobError(f"none of the {len(job.plan.faults)} inputs can be used: {first}")
    job = replace(job, record=job.record.with_inputs(_records(job.plan)))
    tasks, missing = pending_tasks(job, done, duplicates)
    manifest = read_manifest(output)
    if not tasks and not missing and manifest is not None and describes(manifest, job.record, job.plan):
        return manifest, True
    gate = job.gate() if tasks and job.gate is not None else None
    output.store.delete(MANIFEST_FILE)
    output.write_record(job.record)
    failed = [FailedUnit(u.name, u.label, u.start, u.stop, FINISH_FIRST) for u in missing]
    timings: dict[str, Any] = {"started": datetime.now(UTC).isoformat(timespec="seconds"), "gate": gate}
    if tasks and job.carry is not None:
        tasks = job.carry(tasks)
    if tasks:
        failed += _stream(job, tasks, timings)
    timings["leftovers_removed"] = removed
    timings["seconds"] = round(time.monotonic() - started, 3)
    counted = count_outputs(job.plan, output, output.done())
    manifest = build_manifest(job.record, job.plan, counted, failed, output, timings)
    write_manifest(output, manifest)
    return manifest, False


def _stream(job: Prepared, tasks: Sequence[ReadTask], timings: dict[str, Any]) -> list[FailedUnit]:
    """Run the graph over `tasks`; returns the units that failed."""
    units = sum(len(task.units) for task in tasks)
    rows = sum(unit.stop - unit.start for task in tasks for unit in task.units)
    failed: list[FailedUnit] = []
    begin = time.monotonic()
    ours = start_ray(job.config.ray.address)
    try:
        timings["ray_start_seconds"] = round(time.monotonic() - begin, 3)
        config = job.config
        limits = Limits(config.max_worker_deaths, config.max_failed_units, config.stall_s)
        plan = partial(plan_workers, job.config.workers, job.cpus, job.gpus)
        workers = plan(units)
        lacking = waiting_for(workers)
        if lacking:
            print(f"dlcot: the cluster is busy, waiting for {lacking}", file=sys.stderr, flush=True)
        with RunProgress(job.plan.rows, job.plan.rows - rows, job.config.progress_s) as progress:
            for result in run_units(tasks, job.spec, workers, limits, plan):
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


def pending_tasks(
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
