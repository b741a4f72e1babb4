"""The Ray Data graph: read -> judge -> write, streamed, one row per work unit.

A unit travels as one row (`wire.py`), and each row is a block of its own, so that units reach the judges
as they are read. Judges are actors; reading and writing are tasks beside them (`cluster.py`).
"""

from __future__ import annotations

import json
import logging
import os
import pickle
import warnings
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import cast

import pyarrow as pa

from dlcot_ray.job.cluster import IO_CPUS, Workers, last_line
from dlcot_ray.job.faults import JobError
from dlcot_ray.job.process import UnitOutput
from dlcot_ray.job.stats import UnitStats
from dlcot_ray.job.wire import pack_unit, table_of, unit_of
from dlcot_ray.job.work import (
    Processor,
    ReadTask,
    ReadUnit,
    UnitResult,
    WorkSpec,
    read_units,
    write_unit,
)
from dlcot_ray.judging.protocol import JudgeDied, JudgeUnavailable

_QUEUED_UNITS = 2
"""Units that wait at each judge, so that it never waits for the scheduler."""
_RESTARTS = 5
"""How often a judge that died is started anew, and its units tried again, before the job stops: a unit that
kills every judge must not do so for ever."""
_DIED = 70
_UNAVAILABLE = "judge unavailable: "
_MAX_BLOCKS = 2_000
"""Blocks of read tasks; each is an object that the driver puts before anything starts."""


def run_graph(tasks: Iterable[ReadTask], spec: WorkSpec, workers: Workers) -> Iterator[UnitResult]:
    """Do the units of `tasks`, in any order; yields one result each, as they are finished.

    Raises:
        JobError: Ray gave up.
    """
    import ray
    from ray.data import ActorPoolStrategy, TaskPoolStrategy

    _quiet()
    blobs = [{"task": pickle.dumps(task)} for task in tasks]
    context = ray.data.DataContext.get_current()
    # One row, one block: a smaller target than any row.
    context.target_max_block_size = 1
    io_tasks = TaskPoolStrategy(size=max(1, workers.count // 4))
    concurrent = 2 if spec.in_flight > 1 else 1
    judges = ActorPoolStrategy(
        min_size=workers.ready,
        max_size=workers.count,
        max_tasks_in_flight_per_actor=concurrent + _QUEUED_UNITS - 1,
        max_concurrent_calls_per_actor=concurrent,
    )
    with warnings.catch_warnings():
        # The pinned Ray has no other way to bound an actor's restarts, and warns of this one.
        warnings.simplefilter("ignore", ray.util.annotations.RayDeprecationWarning)
        graph = (
            ray.data.from_items(blobs, override_num_blocks=min(len(blobs), _MAX_BLOCKS))
            .map_batches(
                _read,
                fn_args=(spec,),
                batch_size=1,
                batch_format="pyarrow",
                compute=io_tasks,
                num_cpus=IO_CPUS,
            )
            .map_batches(
                _Judge,
                fn_constructor_args=(spec,),
                batch_size=1,
                batch_format="pyarrow",
                compute=judges,
                num_cpus=workers.cpus,
                num_gpus=workers.gpus or None,
                max_restarts=_RESTARTS,
                max_task_retries=_RESTARTS,
            )
            .map_batches(
                _write,
                fn_args=(spec,),
                batch_size=1,
                batch_format="pyarrow",
                compute=io_tasks,
                num_cpus=IO_CPUS,
            )
        )
    try:
        for batch in graph.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
            for blob in batch.column("result").to_pylist():
                yield cast(UnitResult, pickle.loads(blob))
    except ray.exceptions.RayError as error:
        unavailable = _unavailable(str(error))
        if unavailable:
            raise JobError(unavailable) from error
        raise JobError(
            f"Ray stopped the job ({last_line(error)})", "run again: what is finished is kept"
        ) from error


def _read(batch: pa.Table, spec: WorkSpec) -> Iterator[pa.Table]:
    for blob in batch.column("task").to_pylist():
        for unit in read_units(pickle.loads(blob), spec):
            yield pack_unit(unit.task, unit.error, {"table": unit.table, "annotations": unit.annotations})


class _Judge:
    """One actor: a processor, and the unpacking and packing around it."""

    def __init__(self, spec: WorkSpec) -> None:
        self._processor = Processor(spec)
        self._unavailable: JudgeUnavailable | None = None
        try:
            self._processor.start()
        except JudgeUnavailable as error:
            # Raised by the first unit: Ray starts an actor whose constructor fails again and again.
            self._unavailable = error

    async def __call__(self, batch: pa.Table) -> AsyncIterator[pa.Table]:
        if self._unavailable is not None:
            raise RuntimeError(f"{_UNAVAILABLE}{json.dumps([*self._unavailable.args])}")
        for index in range(batch.num_rows):
            task, error = unit_of(batch, index)
            read = ReadUnit(
                task, table_of(batch, index, "table"), table_of(batch, index, "annotations"), error
            )
            try:
                made = await self._processor(read)
            except JudgeDied:
                # An engine cannot be revived in its process; a new process gets this unit again.
                os._exit(_DIED)
            if isinstance(made, str):
                yield pack_unit(task, made, dict.fromkeys(_MADE), "")
            else:
                tables = {name: getattr(made, name) for name in _MADE}
                yield pack_unit(task, "", tables, made.stats.to_json())

    def __del__(self) -> None:
        if hasattr(self, "_processor"):
            self._processor.close()


_MADE = ("annotations", "enhanced", "rejected", "preferences", "facts")


def _write(batch: pa.Table, spec: WorkSpec) -> pa.Table:
    output = spec.open_output()
    results = []
    for index in range(batch.num_rows):
        task, error = unit_of(batch, index)
        made: UnitOutput | str = error
        if not error:
            made = UnitOutput(
                annotations=table_of(batch, index, "annotations"),
                enhanced=table_of(batch, index, "enhanced"),
                rejected=table_of(batch, index, "rejected"),
                preferences=table_of(batch, index, "preferences"),
                facts=table_of(batch, index, "facts"),
                stats=UnitStats.from_json(batch.column("stats")[index].as_py()),
            )
        results.append(pickle.dumps(write_unit(task, made, output, spec)))
    return pa.table({"result": pa.array(results, pa.binary())})


def _quiet() -> None:
    """Switch off Ray Data's own bars and chatter: the job has one progress line of its own."""
    import ray

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    for handler in logging.getLogger("ray.data").handlers:
        if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler):
            handler.setLevel(logging.CRITICAL)


def _unavailable(text: str) -> str:
    """What a judge that could not start said, out of the many lines that Ray wraps around it."""
    _, found, rest = text.partition(_UNAVAILABLE)
    if not found:
        return ""
    (message,), _ = json.JSONDecoder().raw_decode(rest)
    return str(message)
