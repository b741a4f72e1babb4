"""Runs a prepared job: finds the units left, processes them, counts the output, writes the manifest.

A fault of a row, a unit or a file does not stop the job. It is counted and listed, and sets the exit status.
Only a failure of the cluster or of the output's store stops the job.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np

from dlcot_ray.cluster.ledger.status import LedgerStatus
from dlcot_ray.cluster.ledger.unit_events import EventKind
from dlcot_ray.cluster.nodes import plan_workers, start_ray, stop_ray, waiting_for
from dlcot_ray.cluster.shared_places import check_shared
from dlcot_ray.cluster.supervision import FailureLimits, run_units
from dlcot_ray.commands.exits import Exit
from dlcot_ray.commands.prepare import Prepared, check_usable
from dlcot_ray.errors import InputFault
from dlcot_ray.inputs.layouts.report import report_lines
from dlcot_ray.outputs.job_record import InputRecord, JobRecord
from dlcot_ray.outputs.layout import (
    CARD_FILE,
    DUPLICATES_FILE,
    ENHANCED,
    INPUT_METADATA_FILE,
    JOB_FILE,
    LIVE_FILE,
    MANIFEST_FILE,
)
from dlcot_ray.outputs.manifest import FailedUnit, build_manifest, describes, read_manifest, write_manifest
from dlcot_ray.outputs.results import EngineUse
from dlcot_ray.outputs.tally import Journal, count, name_of, survey
from dlcot_ray.plan.completed import Sizes, complete_units
from dlcot_ray.plan.duplicate_ids import Duplicates, find_duplicates
from dlcot_ray.plan.names import unit_name
from dlcot_ray.plan.pending import Pending
from dlcot_ray.plan.plan import Plan
from dlcot_ray.report.sampling import MOST_UNITS
from dlcot_ray.report.writing import write_report
from dlcot_ray.storage.urls import is_local
from dlcot_ray.telemetry.cleaned_console import terminal
from dlcot_ray.telemetry.event_log import EventLog
from dlcot_ray.telemetry.live import LiveRecord
from dlcot_ray.telemetry.metrics import RunMetrics
from dlcot_ray.telemetry.progress import RunProgress
from dlcot_ray.telemetry.summary import print_summary
from dlcot_ray.telemetry.tracking import RunTracker, live_figures
from dlcot_ray.terminal import note, tell
from dlcot_ray.work.before_after import sample_of, write_before_after

FINISH_FIRST = "it has no annotations yet; finish the job that makes them, then run this again"

_LAYOUTS_SHOWN = 5


def execute(job: Prepared) -> Exit:
    """Process the units left, write the manifest, print the summary.

    Raises:
        JobError: the job cannot go on; finished units are kept.
    """
    manifest, done_before = complete(job)
    next_step = "nothing to do: this output is complete" if done_before else _next_step(job, manifest)
    status = _finish(job, manifest, next_step)
    if job.config.report and not done_before:
        # Written after the summary, because a report that takes long should not hold back the counts.
        tell(write_report(job.output, some_units(job.plan) if manifest["complete"] else None))
    return status


def some_units(plan: Plan) -> list[str]:
    """A sample of the units of a complete job; a LIST of ten million objects takes a quarter of an hour."""
    chosen = np.sort(
        np.random.default_rng(0).choice(plan.unit_count, min(MOST_UNITS, plan.unit_count), replace=False)
    )
    files = np.searchsorted(plan.file_units, chosen, side="right") - 1
    bounds = zip(plan.cuts[chosen], plan.cuts[chosen + 1], plan.file_rows[files], files, strict=True)
    return [
        unit_name(plan.shards[int(file)].name, int(start - first), int(stop - first))
        for start, stop, first, file in bounds
    ]


def complete(job: Prepared) -> tuple[dict[str, Any], bool]:
    """Process the units left and write the manifest.

    Returns:
        The manifest, and whether all units were complete before.

    Raises:
        JobError: the job cannot go on; finished units are kept.
    """
    with job.claim, EventLog(job.config.log, job.record.fingerprint) as log:
        manifest, done_before = _complete(job, log)
        log.job_finished(manifest, nothing_to_do=done_before)
        return manifest, done_before


def _complete(job: Prepared, log: EventLog) -> tuple[dict[str, Any], bool]:
    started = time.monotonic()
    output = job.output
    removed = output.remove_leftovers()
    sizes = complete_units(job.plan, output.units(output.objects(ENHANCED)))
    # The quality floor comes before the search for duplicate ids, because that search writes to the output.
    check = job.quality_floor
    quality_floor = check() if check is not None and not (sizes > 0).all() else None
    job, sizes, duplicates = _without_unreadable_ids(job, sizes)
    check_usable(job.plan)
    job = replace(job, record=job.record.with_inputs(_records(job.plan)))
    pending = Pending(job.plan, sizes > 0, job.available, duplicates)
    failed = [FailedUnit(u.name, u.file, u.start, u.stop, FINISH_FIRST) for u in pending.missing()]
    manifest = read_manifest(output)
    if not (pending.units or failed) and manifest and describes(manifest, job.record, job.plan):
        return manifest, True
    output.store.delete_all([MANIFEST_FILE, LIVE_FILE])
    job.claim.write(job.record)
    if job.input_metadata is not None:
        output.store.put(INPUT_METADATA_FILE, job.input_metadata)
    timings: dict[str, Any] = {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "quality_floor": quality_floor,
    }
    if pending.units and job.carry is not None:
        job.carry(pending)
        sizes = complete_units(job.plan, output.units(output.objects(ENHANCED)))
        pending = Pending(job.plan, sizes > 0, job.available, duplicates)
    timings["resume_seconds"] = round(time.monotonic() - started, 3)
    log.job_started(job.plan, job.record.command, rows=pending.rows, units=pending.units)
    if pending.units:
        if job.record.command == "enhance":
            _print_layouts(job.record)
        failed += _stream(job, pending, timings, log)
        # Left by workers that crashed in this run; other workers have done their units.
        removed += output.remove_leftovers()
    finishing = time.monotonic()
    sizes, folders = survey(job.plan, output)
    tally = count(job.plan, output, sizes, job.record.fingerprint)
    timings["leftovers_removed"] = removed
    timings["list_calls"] = output.store.list_calls
    timings["footers_read"] = tally.footers_read
    timings["finish_seconds"] = round(time.monotonic() - finishing, 3)
    timings["seconds"] = round(time.monotonic() - started, 3)
    manifest, inputs = build_manifest(job.record, job.plan, tally, folders, failed, timings)
    names = [name_of(job.plan, unit) for unit in sample_of(np.flatnonzero(sizes > 0).tolist())]
    manifest["before_after"] = write_before_after(output, job.spec.preset, names)
    job.claim.check()
    if not write_manifest(output, manifest, inputs):
        note(f"{output.store.url(CARD_FILE)} is not dlcot's and stays as it is")
    return manifest, False


def _print_layouts(record: JobRecord) -> None:
    """How the columns are read, so that a wrong guess is seen before the job is done."""
    for item in record.layouts[:_LAYOUTS_SHOWN]:
        for line in report_lines(item["report"]):
            note(line)
    if len(record.layouts) > _LAYOUTS_SHOWN:
        note(f"{len(record.layouts):,} layouts in all; manifest.json has them")


def _stream(job: Prepared, pending: Pending, timings: dict[str, Any], log: EventLog) -> list[FailedUnit]:
    """Process the pending units on Ray; returns the units that failed."""
    failed: list[FailedUnit] = []
    journal = Journal(job.output, job.record.fingerprint)
    engine = EngineUse()
    begin = time.monotonic()
    ours = start_ray(job.config.ray.address)
    try:
        timings["ray_start_seconds"] = round(time.monotonic() - begin, 3)
        check_shared(_local_files(job))
        config = job.config
        limits = FailureLimits(config.max_worker_crashes, config.max_failed_units, config.stall_s)
        workers = plan_workers(job.pool, pending.units, job.config.ray.wait_s)
        # After a node failure the job goes on with as many judges as fit, even below min_workers.
        plan = partial(plan_workers, replace(job.pool, least=None))
        lacking = waiting_for(workers)
        if lacking:
            note(f"the cluster is busy, waiting for {lacking}")
        done_rows = job.plan.rows - pending.rows
        metrics = RunMetrics(job.record.fingerprint)

        live = LiveRecord(job.output)

        def on_status(status: LedgerStatus) -> None:
            metrics.observe(status)
            log.observe(status)
            requeued = sum(event.kind is EventKind.UNIT_REQUEUED for event in status.events)
            live.observe(
                judges=status.judges,
                in_flight=len(status.in_flight),
                idle_s=status.idle_s,
                requeued=requeued,
            )

        progress = RunProgress(job.plan.rows, done_rows, config.progress_s)
        tracker = RunTracker(
            config.tracker,
            config.tracker_project,
            config.tracker_run,
            job.record,
            lambda: {**progress.numbers(), **live_figures(live.now())},
        )
        with live, tracker, progress:
            for result in run_units(pending, job.spec, workers, limits, plan, on_status):
                job.claim.check()
                timings.setdefault("first_unit_seconds", round(time.monotonic() - begin, 3))
                progress.update(result.stats)
                metrics.add(result)
                live.add(result)
                log.unit(result)
                engine += result.engine
                if result.error:
                    failed.append(
                        FailedUnit(result.name, result.file, result.start, result.stop, result.error)
                    )
                else:
                    journal.add(result)
        metrics.end()
        timings["last_unit_seconds"] = round(time.monotonic() - begin, 3)
        journal.flush()
    finally:
        if ours:
            stop_ray()
    timings.update(units=pending.units - len(failed), rows=pending.rows, workers=workers.count)
    if engine.busy:
        timings["engine_seconds"] = round(engine.lasted, 3)
        timings["engine_busy_share"] = round(engine.busy / engine.lasted, 4)
    return failed


def _local_files(job: Prepared) -> dict[str, str]:
    """A file of each local place of the job -> the place."""
    found: dict[str, str] = {}
    if is_local(job.output.store.given_url):
        found[f"{job.output.store.given_url}/{JOB_FILE}"] = f"the output {job.output.display_url}"
    for shard in {shard.store_url: shard for shard in job.plan.shards}.values():
        if is_local(shard.store_url):
            found[f"{shard.store_url.rstrip('/')}/{shard.relative}"] = f"the input {shard.store_url}"
    return found


def _without_unreadable_ids(job: Prepared, sizes: Sizes) -> tuple[Prepared, Sizes, Duplicates | None]:
    """Find duplicate ids, if units are left; a file with unreadable ids is removed from the plan."""
    plan = job.plan
    while job.check_ids and plan.shards and not sizes.all():
        recorded = Duplicates.from_bytes(job.output.read_state(DUPLICATES_FILE), plan)
        if recorded is not None:
            return replace(job, plan=plan), sizes, recorded
        try:
            found = find_duplicates(plan.files, job.options)
        except InputFault as fault:
            number = next(i for i, shard in enumerate(plan.shards) if shard.file == fault.file)
            first, stop = plan.file_units[number : number + 2].tolist()
            plan, sizes = plan.without(number, fault), np.delete(sizes, range(first, stop))
            if job.available is not None:
                job = replace(job, available=np.delete(job.available, range(first, stop)))
            continue
        job.output.store.put(DUPLICATES_FILE, found.to_bytes(plan))
        return replace(job, plan=plan), sizes, found
    return replace(job, plan=plan), sizes, None


def _records(plan: Plan) -> list[InputRecord]:
    return [
        InputRecord(shard.file, shard.name, rows, shard.size, shard.version)
        for shard, rows in zip(plan.shards, np.diff(plan.file_rows).tolist(), strict=True)
    ]


def _finish(job: Prepared, manifest: Mapping[str, Any], next_step: str) -> Exit:
    print_summary(manifest, job.output.display_url, next_step, terminal(highlight=False))
    totals = manifest["totals"]
    too_many = _rejected_too_many(job, totals)
    faulty = manifest["unusable_inputs"] or manifest["failed_units"] or totals["unfinished"]
    return Exit.WITH_FAULTS if faulty or too_many else Exit.OK


def _rejected_too_many(job: Prepared, totals: Mapping[str, Any]) -> bool:
    traces = totals["enhanced"] + totals["unchanged"] + totals["rejected"]
    return bool(totals["rejected"] > job.config.max_rejected_share * max(traces, 1))


def _next_step(job: Prepared, manifest: Mapping[str, Any]) -> str:
    if manifest["failed_units"]:
        return "next: look into the failed units and run the same command again; finished units are kept"
    if manifest["unusable_inputs"]:
        return "next: repair or remove the unusable inputs and run the same command again"
    if _rejected_too_many(job, manifest["totals"]):
        return (
            f"next: look into {job.output.store.url('rejected')}: more rows than max_rejected_share are there"
        )
    if job.record.command == "enhance":
        again = f"dlcot derive annotations={job.output.display_url} output=... policy=..."
        return f"next: try another policy: {again}"
    return f"next: train on {job.output.store.url('enhanced')}"
