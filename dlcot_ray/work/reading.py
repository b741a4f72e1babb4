"""The first step of a work unit: its rows out of the input, with the annotations that are known of them.

No Ray here. A failure is a value: what cannot be read comes back as the unit's `error`, the unit stays
unfinished, and the next run does it again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator

import pyarrow as pa

from dlcot_ray.errors import InputFault, JobError, reason_of
from dlcot_ray.inputs.footers import open_parquet
from dlcot_ray.inputs.traces import resolve_columns, traces_of
from dlcot_ray.judging.fingerprint import fingerprints_of
from dlcot_ray.outputs.layout import ANNOTATIONS
from dlcot_ray.outputs.recall import RecallSpec, open_recall
from dlcot_ray.plan.tasks import ReadTask, UnitTask
from dlcot_ray.storage.retries import with_retries
from dlcot_ray.storage.store import Store
from dlcot_ray.work.spec import ReadUnit, WorkSpec

_FIRST_PAUSE_S = 0.2


def read_units(task: ReadTask, spec: WorkSpec) -> Iterator[ReadUnit]:
    """Read the units of a sweep, in order, holding one at a time.

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
                yield ReadUnit(unit, error=f"cannot be read ({reason_of(error)})")
            return


def _sweep(
    task: ReadTask, units: tuple[UnitTask, ...], spec: WorkSpec
) -> Iterator[tuple[UnitTask, pa.Table]]:
    store = Store(task.store_url, spec.input_options)
    waiting = deque(units)
    parts: list[pa.RecordBatch] = []
    stop = task.first_row
    with open_parquet(store, task.relative, waiting[0].file) as file:
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
    raise InputFault(waiting[0].file, f"its data ends at row {stop}, its footer promises more")


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
        return ReadUnit(unit, error=f"its annotations cannot be read ({reason_of(error)})")


def _with_recalled(unit: UnitTask, table: pa.Table, spec: WorkSpec, recall: RecallSpec) -> ReadUnit:
    try:
        columns = resolve_columns(spec.preset, table.schema, unit.file)
    except InputFault:
        # The processor meets the same fault and reports it.
        return ReadUnit(unit, table)
    rows = traces_of(table, columns, file=unit.file, first_row=unit.start, shard_name=unit.shard_name)
    fingerprints = fingerprints_of(rows, recall.identity)
    wanted = [fingerprint for fingerprint in fingerprints if fingerprint is not None]
    try:
        found = with_retries(spec.retries, lambda: open_recall(recall).annotations(unit.name, wanted))
        stored = pa.table({"fingerprint": pa.array(fingerprints, pa.string())})
        return ReadUnit(unit, table, found, stored)
    except (OSError, InputFault, JobError, pa.ArrowException) as error:
        return ReadUnit(unit, error=f"the index of known annotations cannot be read ({reason_of(error)})")
